import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from './lab-error.ts';

/**
 * Asks until the answer is yes.
 *
 * @param what completes the sentence "Waited N s in vain for …".
 * @param onTimeout adds what is known about the cause.
 */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  options: { timeoutMs: number; intervalMs?: number; onTimeout?: () => string | Promise<string> },
): Promise<void> {
  const giveUpAt = Date.now() + options.timeoutMs;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) {
      const cause = await options.onTimeout?.();
      throw new LabError(
        `Waited ${options.timeoutMs / 1000} s in vain for ${what}${cause ? `:\n${cause}` : ''}`,
      );
    }
    await sleep(options.intervalMs ?? 40);
  }
}
