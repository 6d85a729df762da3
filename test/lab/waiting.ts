import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../patience.ts';
import { LabError } from './lab-error.ts';

/**
 * Asks until the answer is yes.
 *
 * @param what completes the sentence "Waited N s in vain for …".
 * @param timeoutMs default: two minutes, which only what is broken takes.
 * @param onTimeout adds what is known about the cause.
 */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  {
    timeoutMs = PATIENCE_MS,
    intervalMs = 40,
    onTimeout,
  }: { timeoutMs?: number; intervalMs?: number; onTimeout?: () => string | Promise<string> } = {},
): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) {
      const cause = await onTimeout?.();
      throw new LabError(`Waited ${timeoutMs / 1000} s in vain for ${what}${cause ? `:\n${cause}` : ''}`);
    }
    await sleep(intervalMs);
  }
}
