import type { LabPaths } from './lab-directory.ts';
import { runInLab } from './slurm-client.ts';
import { NODE_NAMES } from './topology.ts';

/** States in which a node takes jobs or runs them; a `*` behind a state means that the node is silent. */
const SERVING = ['idle', 'mixed', 'allocated', 'completing'];

/** Each node's state as `sinfo` names it; undefined when slurmctld does not answer. */
export async function nodeStates(paths: LabPaths): Promise<Map<string, string> | undefined> {
  const sinfo = await runInLab(paths, ['sinfo', '-h', '-N', '-p', 'compute', '-o', '%N %T'], {});
  if (sinfo.exitCode !== 0) return undefined;
  return new Map(
    sinfo.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}

export function allServe(states: ReadonlyMap<string, string> | undefined): boolean {
  return NODE_NAMES.every((name) => isServing(states?.get(name)));
}

export function isServing(state: string | undefined): boolean {
  return state !== undefined && SERVING.includes(state);
}

/** Puts nodes that were drained, or were found dead, back into service. */
export async function resumeNodes(paths: LabPaths, states: ReadonlyMap<string, string>): Promise<void> {
  const aside = [...states].filter(([, state]) => /^(drain|down|fail)/.test(state)).map(([name]) => name);
  if (aside.length === 0) return;
  await runInLab(paths, ['scontrol', 'update', `NodeName=${aside.join(',')}`, 'State=RESUME']);
}
