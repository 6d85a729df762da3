import { type BoardStep, differs, right, StepProblem } from '../../board-step.ts';
import { mustBeTaken, slurmNode } from './slurm-node.ts';

/** Kept where it was this operation that drained the node: only then is it put into service again. */
export const DRAINED_HERE = 'drained-here';

/** No job starts on the node any more. */
export const drainStep: BoardStep = {
  name: 'drain',
  title: 'no job starts there any more',
  roles: null,
  withoutBoard: true,
  async check(_, context) {
    const { kind, subject: name } = context.operation;
    const node = await slurmNode(context);
    if (node === undefined && kind === 'drain') {
      throw new StepProblem(`Slurm has no node "${name}".`);
    }
    if (node === undefined) return right('Slurm does not have it');
    if (!node.flags.includes('drain')) return differs(`it is ${[node.state, ...node.flags].join('+')}`);
    const { reason } = context.operation.parameters;
    if (kind === 'drain' && reason !== null && reason !== node.reason)
      return differs(`it is drained for another reason: ${node.reason ?? 'none'}`);
    return right(`drained${node.reason === null ? '' : `: ${node.reason}`}`);
  },
  async apply(context) {
    const { kind, subject: name, parameters } = context.operation;
    const reason = parameters.reason ?? (kind === 'drain' ? 'drained by an admin' : `Bramble: ${kind}`);
    await context.keepNote(DRAINED_HERE, reason);
    mustBeTaken(await context.slurm.nodes.drain(name, reason), 'drain');
    return `drained: ${reason}`;
  },
};
