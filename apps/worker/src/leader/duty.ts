import { setTimeout } from 'node:timers/promises';
import type { Logger } from '#infra/observability/logger';

/** Something that the leader does again and again. */
export interface Duty {
  name: string;
  /** Pause between the end of one round and the beginning of the next. */
  pauseMs: number;
  round: () => Promise<void>;
  /** Ends what rounds have begun and not waited for. */
  end?: () => Promise<void>;
}

/** Does a duty until the signal is aborted. A round that fails is logged, and the next one comes all the same. */
export async function perform(
  { name, pauseMs, round, end }: Duty,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await round();
    } catch (error) {
      logger.error({ err: error, duty: name }, 'A duty of the leader failed; it will be tried again');
    }
    await setTimeout(pauseMs, undefined, { signal }).catch(() => {});
  }
  await end?.();
}
