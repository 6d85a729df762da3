import type { ObservedKubernetes, SlurmNode } from '../../cluster/cluster.ts';
import type { KubernetesNode } from '../../cluster/kubernetes-nodes.ts';
import type { NodeOperation } from '../../operations/operation.ts';
import { toBoardHealthResource } from './board-health.ts';
import type { KnownBoard } from './board-inventory.ts';
import { driftOf } from './drift.ts';
import type { NodeResource } from './node-resource.ts';

/**
 * Every machine once, in order of name: nodes of Slurm and of Kubernetes, boards, and what is several of them.
 * @param lastLooks the last enrolment or check of a board that has ended, by the board's id
 */
export function mergeNodes(
  slurmNodes: readonly SlurmNode[],
  boards: readonly KnownBoard[],
  lastLooks: ReadonlyMap<string, NodeOperation>,
  kubernetes?: ObservedKubernetes,
): NodeResource[] {
  const inSlurm = new Map(slurmNodes.map((node) => [node.name, node]));
  const enrolled = new Map(boards.map((known) => [known.board.name, known]));
  const inKubernetes = new Map(kubernetes?.nodes.map((node) => [node.name, node]));
  const names = [...new Set([...inSlurm.keys(), ...enrolled.keys(), ...inKubernetes.keys()])].sort(byName);
  return names.map((name) => {
    const known = enrolled.get(name);
    const slurm = withoutName(inSlurm.get(name)) ?? null;
    const inCluster = withoutName(inKubernetes.get(name));
    return {
      name,
      address: known?.board.address ?? slurm?.address ?? internalAddress(inCluster?.addresses) ?? name,
      slurm,
      kubernetes:
        inCluster === undefined || kubernetes === undefined
          ? null
          : { ...inCluster, observedAt: kubernetes.observedAt.toISOString() },
      board: known === undefined ? null : toNodeBoard(known, lastLooks.get(known.board.id)),
    };
  });
}

/** Numbers in names by their size: `node2` before `node10`. */
const collator = new Intl.Collator('en', { numeric: true });
const byName = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : 1);

function withoutName<T extends { name: string }>(node: T | undefined): Omit<T, 'name'> | undefined {
  if (node === undefined) return undefined;
  const { name: _, ...section } = node;
  return section;
}

const internalAddress = (addresses: KubernetesNode['addresses'] = []): string | undefined =>
  addresses.find(({ type }) => type === 'InternalIP')?.address;

function toNodeBoard(
  { board, health }: KnownBoard,
  lastLook: NodeOperation | undefined,
): NonNullable<NodeResource['board']> {
  const { id, address, roles, labels, facts } = board;
  const latest = health?.condition ?? facts;
  return {
    id,
    address,
    roles,
    labels,
    model: facts?.model ?? null,
    serial: facts?.serial ?? null,
    os: facts?.os ?? null,
    kernel: facts?.kernel ?? null,
    architecture: facts?.architecture ?? null,
    cpus: facts?.cpus ?? null,
    memoryMebibytes: facts?.memoryMebibytes ?? null,
    pageSizeBytes: facts?.pageSizeBytes ?? null,
    temperatureCelsius: latest?.temperatureCelsius ?? null,
    throttled: latest?.throttled ?? null,
    health: toBoardHealthResource(health),
    drift: driftOf(lastLook),
  };
}
