import type { BoardConnection } from '../../board-connection.ts';
import type { Probe } from '../../board-step.ts';
import { probeBoard } from '../../probe-board.ts';

/**
 * Asks a board one thing, now: what a step's check has seen may be minutes old when it is applied.
 * @throws StepProblem
 */
export async function look(connection: BoardConnection, probe: Probe): Promise<string> {
  const [seen] = await probeBoard(connection, [probe]);
  if (seen === undefined) throw new Error('the probe was not answered');
  if (seen.kind === 'failed') throw seen.problem;
  return seen.text;
}
