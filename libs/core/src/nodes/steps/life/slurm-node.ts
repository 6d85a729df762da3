import type { SlurmNode } from '../../../cluster/cluster.ts';
import { type StepContext, StepProblem } from '../../board-step.ts';

/**
 * The node as Slurm has it now.
 * @returns undefined where Slurm knows no node of that name
 * @throws StepProblem, passing, where Slurm does not answer
 */
export async function slurmNode({ slurm, operation }: StepContext): Promise<SlurmNode | undefined> {
  const answer = await slurm.nodes.find(operation.subject);
  if (answer.kind === 'unknown')
    throw new StepProblem(`Slurm does not answer: ${answer.because}`, { passing: true });
  return answer.kind === 'present' ? answer.value : undefined;
}

/** @throws StepProblem, passing, where Slurm did not take it */
export function mustBeTaken(answer: { kind: string; because?: string }, what: string): void {
  if (answer.kind === 'unknown')
    throw new StepProblem(`Slurm did not ${what} the node: ${answer.because ?? ''}`, { passing: true });
}

const OUT_OF_SERVICE = new Set([
  'drain',
  'not_responding',
  'fail',
  'maintenance',
  'reboot_requested',
  'reboot_issued',
]);
const IN_SERVICE = new Set(['idle', 'mixed', 'allocated', 'completing', 'planned']);

/** Whether jobs may start on it. */
export const isInService = ({ state, flags }: SlurmNode): boolean =>
  IN_SERVICE.has(state) && !flags.some((flag) => OUT_OF_SERVICE.has(flag));
