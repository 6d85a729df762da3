import type { SlurmNode } from '../../cluster/cluster.ts';
import type { NewNodeEvent } from './node-event.ts';

/** What has happened to nodes between two answers of Slurm. */
export function slurmChanges(
  before: readonly SlurmNode[],
  after: readonly SlurmNode[],
  at: Date,
): NewNodeEvent[] {
  const known = new Map(before.map((node) => [node.name, node]));
  const present = new Set(after.map(({ name }) => name));
  const event = (node: string, state: string, detail: string | null): NewNodeEvent => ({
    ...{ node, at, type: 'slurm', state, detail, operation: null },
  });
  return [
    ...before.filter(({ name }) => !present.has(name)).map(({ name }) => event(name, 'left', null)),
    ...after.flatMap((node) => {
      const earlier = known.get(node.name);
      if (earlier === undefined) return [event(node.name, 'joined', null)];
      return changesOf(earlier, node).map(([state, detail]) => event(node.name, state, detail));
    }),
  ];
}

function changesOf(before: SlurmNode, after: SlurmNode): [state: string, detail: string | null][] {
  const changes: [string, string | null][] = [];
  const [wasDrained, isDrained] = [before, after].map(({ flags }) => flags.includes('drain'));
  if (wasDrained !== isDrained)
    changes.push(isDrained === true ? ['drained', after.reason] : ['resumed', null]);
  const [wasDown, isDown] = [before, after].map(({ state }) => state === 'down');
  if (wasDown !== isDown) changes.push(isDown === true ? ['down', after.reason] : ['up', null]);
  return changes;
}
