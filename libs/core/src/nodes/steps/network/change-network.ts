import { writeBoardFile, readBoardFile } from '../../board-files.ts';
import { type StepContext, StepProblem } from '../../board-step.ts';
import { probeBoard } from '../../probe-board.ts';
import { shellQuote } from '../../../jobs/shell-quote.ts';
import { succeed } from '../../succeed.ts';
import { networkProbe } from './network-probe.ts';
import type { NetworkPlan } from './plan-network.ts';
import { parseNetwork, type SeenNetwork } from './seen-network.ts';
import { UNFINISHED } from './undo-files.ts';
import {
  ARM_AND_CHANGE,
  AT_BOOT_FILE,
  AT_BOOT_UNIT,
  CHANGE,
  KEEP,
  NOT_ARMED,
  NOT_VALID,
  PREPARE,
  SHOW_LOG,
  UNDO,
  UNDO_NOW,
  UNDO_SCRIPT,
} from './undo-scripts.ts';

/** A machine that asks for an address before anybody has it waits for seconds. */
const FIRST_LOOK_MS = 1_500;
const LOOK_AGAIN_MS = 500;
/** Beyond the undo's own time: an interface that asks DHCP again, and a small board that signs in. */
const BACK_WITHIN_MS = 150_000;

/** Asks the board anew. */
export async function lookAtNetwork(context: StepContext, address: string): Promise<SeenNetwork> {
  const [seen] = await probeBoard(context.connection, [networkProbe(context.board.address, address)]);
  if (seen === undefined) throw new Error('the probe was not answered');
  if (seen.kind === 'failed') throw seen.problem;
  return parseNetwork(seen.text);
}

/**
 * Arms the undo and begins the change, which goes on by itself on the board.
 * @throws StepProblem where the manager does not take the files; nothing was changed then
 */
export async function beginChange(
  context: StepContext,
  { manager, interface: name, profile, files }: NetworkPlan,
  { address, undoAfterMs }: { address: string; undoAfterMs: number },
): Promise<void> {
  const { connection } = context;
  const [afterBy, after] = profile?.after ?? ['', ''];
  const [beforeBy, before] = profile?.before ?? ['', ''];
  const settings = {
    manager,
    interface: name,
    address,
    after_by: afterBy,
    after,
    before_by: beforeBy,
    before,
  };
  await succeed(connection, { argv: ['sh', '-c', PREPARE], root: true });
  for (const [index, { path, mode, render }] of files.entries()) {
    const text = render((await readBoardFile(connection, path)) ?? '');
    await writeBoardFile(connection, `${UNFINISHED}/new/${index + 1}`, text, mode);
  }
  const own = Object.entries({
    [`${UNFINISHED}/files`]: files.map(({ path }) => `${path}\n`).join(''),
    [`${UNFINISHED}/settings`]: Object.entries(settings)
      .map(([key, value]) => `${key}=${shellQuote(value)}\n`)
      .join(''),
    [`${UNFINISHED}/change.sh`]: CHANGE,
    [UNDO_SCRIPT]: UNDO,
    [AT_BOOT_FILE]: AT_BOOT_UNIT,
  });
  for (const [path, text] of own) await writeBoardFile(connection, path, text);
  const end = await connection.run({
    argv: ['sh', '-c', ARM_AND_CHANGE, 'sh', String(Math.ceil(undoAfterMs / 1000))],
    root: true,
  });
  if (end.kind !== 'exited' || end.code === 0) return;
  if (end.code === NOT_VALID)
    throw new StepProblem(`${manager} does not take the settings; nothing was changed: ${end.stdout.trim()}`);
  throw new StepProblem(`The change could not be begun: ${(end.stderr || end.stdout).trim()}`);
}

/**
 * Signs in at the new address once the change has been made, and looks.
 * @throws StepProblem where that is not possible in time, or the board has undone it already
 */
export async function arriveAt(
  context: StepContext,
  address: string,
  { withinMs }: { withinMs: number },
): Promise<SeenNetwork> {
  const deadline = context.now().getTime() + withinMs;
  let isDone = false;
  await context.pause(FIRST_LOOK_MS);
  for (;;) {
    await context.reconnect({ address, withinMs: Math.max(0, deadline - context.now().getTime()) });
    const seen = await lookAtNetwork(context, address).catch(lostIsUndefined);
    if (seen !== undefined && isDone) return seen;
    if (seen?.isArmed === false) throw new StepProblem(`the board has undone it: ${await log(context)}`);
    isDone = seen?.isDone ?? false;
    if (context.now().getTime() > deadline) throw new StepProblem('the change has not ended');
    if (!isDone) await context.pause(LOOK_AGAIN_MS);
  }
}

/** @returns false where the board has begun to undo it */
export async function keepChange({ connection }: StepContext): Promise<boolean> {
  const end = await connection.run({ argv: ['sh', '-c', KEEP], root: true });
  if (end.kind === 'exited' && end.code === 0) return true;
  if (end.kind === 'exited' && end.code === NOT_ARMED) return false;
  throw new StepProblem('The board went away before the change of its network was kept.', { passing: true });
}

/** Where there is a connection. The undo comes by itself otherwise. */
export async function undoNow({ connection }: StepContext): Promise<void> {
  await connection.run({ argv: ['sh', '-c', UNDO_NOW], root: true });
}

/**
 * Waits until the board has gone back to its old settings.
 * @param address where it is then
 * @throws StepProblem, passing, where it is not to be found there
 */
export async function waitForUndo(
  context: StepContext,
  address: string,
  { undoAfterMs }: { undoAfterMs: number },
): Promise<SeenNetwork> {
  const deadline = context.now().getTime() + undoAfterMs + BACK_WITHIN_MS;
  for (;;) {
    await context.reconnect({ address, withinMs: Math.max(0, deadline - context.now().getTime()) });
    const seen = await lookAtNetwork(context, address).catch(lostIsUndefined);
    if (seen?.isArmed === false) return seen;
    if (context.now().getTime() > deadline)
      throw new StepProblem('The board does not go back to its old network settings.', { passing: true });
    await context.pause(LOOK_AGAIN_MS);
  }
}

async function log({ connection }: StepContext): Promise<string> {
  return (await succeed(connection, { argv: ['sh', '-c', SHOW_LOG], root: true })).stdout.trim();
}

function lostIsUndefined(error: unknown): undefined {
  if (!(error instanceof StepProblem) || !error.passing) throw error;
}
