import { type BoardStep, differs, right, StepProblem, type StepContext } from '../../board-step.ts';
import { DRAINED_HERE } from './drain-step.ts';
import { isInService, mustBeTaken, slurmNode } from './slurm-node.ts';

/** How long slurmd may take to register after a restart. */
const BACK_WITHIN_MS = 3 * 60_000;
const LOOK_AGAIN_MS = 1_000;

/** Whether this operation has to put the node into service: it was asked to, or it took the node out itself. */
const isOurs = (context: StepContext): boolean =>
  context.operation.kind === 'resume' || context.note(DRAINED_HERE) !== undefined;

/** Jobs start on the node again. A node that somebody else had drained before stays drained. */
export const resumeStep: BoardStep = {
  name: 'resume',
  title: 'jobs start there again',
  roles: null,
  withoutBoard: true,
  async check(_, context) {
    const node = await slurmNode(context);
    if (node === undefined && context.operation.kind === 'resume')
      throw new StepProblem(`Slurm has no node "${context.operation.subject}".`);
    if (node === undefined) return right('Slurm does not have it');
    if (isInService(node)) return right(`it is ${node.state}`);
    if (!isOurs(context)) return right(`it was drained before, and stays so: ${node.reason ?? 'no reason'}`);
    return differs(`it is ${[node.state, ...node.flags].join('+')}`);
  },
  async apply(context) {
    const deadline = context.now().getTime() + BACK_WITHIN_MS;
    for (;;) {
      const node = await slurmNode(context);
      if (node === undefined || isInService(node)) return 'in service again';
      const isOut = node.flags.includes('drain') || node.state === 'down';
      if (isOut) mustBeTaken(await context.slurm.nodes.resume(node.name), 'resume');
      if (context.now().getTime() >= deadline) {
        const state = [node.state, ...node.flags].join('+');
        throw new StepProblem(
          `Slurm has the node as ${state}${node.reason === null ? '' : ` (${node.reason})`}: does slurmd run there?`,
        );
      }
      await context.pause(LOOK_AGAIN_MS);
    }
  },
};
