import type { IdGenerator } from '#core/vocabulary/clock';

type Prefix = Parameters<IdGenerator['next']>[0];

/** The id that the generator makes as the `n`th. */
export const idOf = (prefix: Prefix, n: number): string => `${prefix}_${String(n).padStart(26, '0')}`;

/** Ids that sort by creation, as those of the real generator, and are the same in every run. */
export class CountingIds implements IdGenerator {
  #made = 0;

  next(prefix: Prefix): string {
    this.#made += 1;
    return idOf(prefix, this.#made);
  }
}
