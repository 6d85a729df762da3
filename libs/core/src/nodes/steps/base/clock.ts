import { type StepContext, StepProblem } from '../../board-step.ts';
import { succeed } from '../../succeed.ts';

/**
 * How far the board's clock is from the worker's, in seconds; above 0 where it is ahead. Not better than half of the way
 * there and back.
 * @throws StepProblem
 */
export async function clockSkew(context: Pick<StepContext, 'connection' | 'now'>): Promise<number> {
  const before = context.now().getTime();
  const { stdout } = await succeed(context.connection, { argv: ['date', '+%s.%N'] });
  const after = context.now().getTime();
  return Number(stdout) - (before + after) / 2000;
}

/**
 * Sets the board's clock to the worker's.
 * @throws StepProblem where it cannot be set
 */
export async function setClock(context: Pick<StepContext, 'connection' | 'now'>): Promise<void> {
  const before = context.now().getTime();
  await succeed(context.connection, { argv: ['true'], root: true });
  const after = context.now().getTime();
  const seconds = ((after + (after - before) / 2) / 1000).toFixed(3);
  const end = await context.connection.run({ argv: ['date', '-u', '-s', `@${seconds}`], root: true });
  if (end.kind === 'exited' && end.code === 0) return;
  const because = 'because' in end ? end.because : end.stderr.trim();
  throw new StepProblem(`The board's clock cannot be set: ${because}`, { passing: end.kind !== 'exited' });
}

export const inWords = (skewSeconds: number): string =>
  `${Math.abs(skewSeconds).toFixed(Math.abs(skewSeconds) < 10 ? 2 : 0)} s ${skewSeconds < 0 ? 'behind' : 'ahead of'} the worker's`;
