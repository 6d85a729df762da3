import type { BoardStore } from './board-store.ts';
import { resealed } from './sealed-sign-in.ts';
import type { SecretBox } from './secret-box.ts';

/**
 * Seals the secrets of all boards with the newest key, so that older ones can be taken away. A board that is changed
 * meanwhile is left for the next time.
 * @returns how many boards had a secret sealed with an older key
 */
export async function resealSecrets(boards: BoardStore, secrets: SecretBox): Promise<number> {
  let count = 0;
  for (const board of await boards.list()) {
    const patch = resealed(board, secrets);
    if (patch === undefined) continue;
    await boards.change(board, patch);
    count += 1;
  }
  return count;
}
