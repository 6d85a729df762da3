import { type StepContext, StepProblem } from '../../board-step.ts';
import { type ClockSkew, clockSkew, surelyWithin } from '../../clock-skew.ts';
import { succeed } from '../../succeed.ts';

const SAMPLES = 5;

/**
 * Reads the board's clock until it is surely within a limit, five times at most, and keeps the reading with the shortest
 * round trip: a connection that stalled makes a reading wrong by up to half of the stall.
 * @throws StepProblem
 */
export async function measureClockSkew(
  context: Pick<StepContext, 'connection' | 'now'>,
  limitSeconds: number,
): Promise<ClockSkew> {
  let best = await readClock(context);
  for (let samples = 1; samples < SAMPLES && !surelyWithin(best, limitSeconds); samples++) {
    const other = await readClock(context);
    if (other.uncertaintySeconds < best.uncertaintySeconds) best = other;
  }
  return best;
}

async function readClock(context: Pick<StepContext, 'connection' | 'now'>): Promise<ClockSkew> {
  const askedAt = context.now().getTime();
  const { stdout } = await succeed(context.connection, { argv: ['date', '+%s.%N'] });
  return clockSkew(Number(stdout), askedAt, context.now().getTime());
}

/**
 * Moves the board's clock by what it is off. It is told the difference and not the time, so a command that is late does
 * not set a time that has passed.
 * @throws StepProblem where it cannot be set
 */
export async function correctClock(
  { connection }: Pick<StepContext, 'connection'>,
  { seconds }: ClockSkew,
): Promise<void> {
  const end = await connection.run({
    argv: ['date', '-u', '-s', `${(-seconds).toFixed(3)} seconds`],
    root: true,
  });
  if (end.kind === 'exited' && end.code === 0) return;
  const because = 'because' in end ? end.because : end.stderr.trim();
  throw new StepProblem(`The board's clock cannot be set: ${because}`, { passing: end.kind !== 'exited' });
}
