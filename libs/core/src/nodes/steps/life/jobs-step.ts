import { type BoardStep, right, StepWaits } from '../../board-step.ts';
import { slurmNode } from './slurm-node.ts';

/** Waits until nothing runs on the node, for as long as it takes, unless the admin forces it. */
export const jobsStep: BoardStep = {
  name: 'jobs',
  title: 'the jobs that run there have ended',
  roles: null,
  withoutBoard: true,
  async check(_, context) {
    if (context.operation.parameters.force) return right('not waited for');
    const node = await slurmNode(context);
    if (node === undefined) return right('Slurm does not have it');
    const isBusy = node.cpusAllocated > 0 || node.flags.includes('completing') || node.state === 'completing';
    if (!isBusy) return right('no job runs there');
    throw new StepWaits(`Jobs run on ${node.cpusAllocated} CPUs of "${node.name}".`);
  },
  apply: async () => '',
};
