import { z } from 'zod';
import type { NodeOperation } from '../../operations/operation.ts';

export const driftSchema = z
  .object({
    state: z
      .enum(['inSync', 'drifted', 'unknown'])
      .describe('By the last enrolment or check; `unknown` where that was not done to its end.'),
    steps: z.array(z.string()).describe('Names of the steps that differ.'),
    at: z.iso.datetime().nullable().describe('When that ended.'),
  })
  .meta({ id: 'BoardDrift' });
export type Drift = z.output<typeof driftSchema>;

/** Steps that were found to differ, and left so. */
export const differing = ({ steps }: Pick<NodeOperation, 'steps'>): string[] =>
  steps.filter(({ state }) => state === 'differs').map(({ name }) => name);

/**
 * Whether a board is as it is to be.
 * @param last the last enrolment or check of it that has ended
 */
export function driftOf(last: NodeOperation | undefined): Drift {
  if (last === undefined) return { state: 'unknown', steps: [], at: null };
  const at = last.endedAt?.toISOString() ?? null;
  if (last.state !== 'done') return { state: 'unknown', steps: [], at };
  const steps = differing(last);
  return { state: steps.length === 0 ? 'inSync' : 'drifted', steps, at };
}
