import { type StepContext, StepProblem } from './board-step.ts';
import { succeed } from './succeed.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** A Pi 2 with a slow card and a file system check takes about two minutes. */
const BACK_WITHIN_MS = 5 * 60_000;
const LOOK_AGAIN_MS = 1_000;

/** Each step that restarts the board has a note of its own: another one may have restarted it before. */
const noteOf = (cause: string): string => `boot before ${cause}`;

/**
 * Restarts the board and waits until it is back as another boot. A run that was interrupted on the way only waits.
 * @param cause name of the step
 * @throws StepProblem where it does not come back
 */
export async function rebootBoard(context: StepContext, cause: string): Promise<void> {
  const now = await bootId(context);
  const before = context.note(noteOf(cause)) ?? now;
  if (before !== now) return;
  await context.keepNote(noteOf(cause), before);
  await context.say('The board restarts.\n');
  await context.connection.run({ argv: ['systemctl', '--no-block', 'reboot'], root: true });
  const deadline = context.now().getTime() + BACK_WITHIN_MS;
  while (context.now().getTime() < deadline) {
    await context.pause(LOOK_AGAIN_MS);
    await context.reconnect({ withinMs: deadline - context.now().getTime() });
    const current = await bootId(context).catch(() => before);
    if (current !== before) {
      await context.say('It is back.\n');
      return;
    }
  }
  throw new StepProblem('The board was told to restart, and did not.');
}

/** Whether {@link rebootBoard} has restarted the board for this cause in the course of this operation. */
export async function hasRebooted(context: StepContext, cause: string): Promise<boolean> {
  const before = context.note(noteOf(cause));
  return before !== undefined && before !== (await bootId(context));
}

async function bootId({ connection }: StepContext): Promise<string> {
  return (await succeed(connection, { argv: ['cat', BOOT_ID] })).stdout.trim();
}
