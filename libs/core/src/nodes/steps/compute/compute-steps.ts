import type { BoardStep } from '../../board-step.ts';
import { mountsStep } from './mounts-step.ts';
import { mpiStep } from './mpi-step.ts';
import { mungeStep } from './munge-step.ts';
import { slurmdStep } from './slurmd-step.ts';
import { smokeTestStep } from './smoke-test-step.ts';

/** What makes a board a compute node, in this order: jobs may start once slurmd runs, with their data in place. */
export const COMPUTE_STEPS: readonly BoardStep[] = [
  mountsStep,
  mungeStep,
  mpiStep,
  slurmdStep,
  smokeTestStep,
];
