import { StepProblem } from '../operations/step-problem.ts';
import type { Answer } from '../vocabulary/answer.ts';

/**
 * What was answered.
 * @throws StepProblem, passing where it could not be asked
 */
export function known<T>(answer: Answer<T>): T {
  if (answer.kind === 'present') return answer.value;
  if (answer.kind === 'unknown') throw new StepProblem(answer.because, { passing: true });
  throw new StepProblem('Somebody else has removed it meanwhile.');
}
