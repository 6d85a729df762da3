import { LabError } from './lab-error.ts';

export const CLUSTER_NAME = 'bramble-lab';
/** Where slurmctld runs, as far as hosts can be told apart; see canSeparateHosts. */
export const CONTROLLER_HOST = 'node01';
export const NODE_NAMES = ['node02', 'node03', 'node04', 'node05'] as const;
/** `compute` is the default and has all nodes, `short` ends jobs after two minutes, `down` never starts one. */
export const PARTITION_NAMES = ['compute', 'short', 'down'] as const;

export type NodeName = (typeof NODE_NAMES)[number];

/** @throws LabError when the lab has no node of that name. */
export function nodeName(name: string): NodeName {
  const known = NODE_NAMES.find((node) => node === name);
  if (known === undefined) throw new LabError(`The lab has no node ${name}; it has ${NODE_NAMES.join(', ')}`);
  return known;
}
