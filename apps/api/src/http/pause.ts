import { setTimeout } from 'node:timers/promises';

/** Waits; ends early, without an error, where the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => {});
}
