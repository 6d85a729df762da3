import type { SlurmNode } from '../../cluster/cluster.ts';
import type { Operation } from '../operation.ts';
import { toBoardHealthResource } from './board-health.ts';
import type { KnownBoard } from './board-inventory.ts';
import { driftOf } from './drift.ts';
import type { NodeResource } from './node-resource.ts';

/**
 * Every machine once, in order of name: nodes of Slurm, boards, and what is both.
 * @param lastLooks the last enrolment or check of a board that has ended, by the board's id
 */
export function mergeNodes(
  slurmNodes: readonly SlurmNode[],
  boards: readonly KnownBoard[],
  lastLooks: ReadonlyMap<string, Operation>,
): NodeResource[] {
  const inSlurm = new Map(slurmNodes.map((node) => [node.name, node]));
  const enrolled = new Map(boards.map((known) => [known.board.name, known]));
  const names = [...new Set([...inSlurm.keys(), ...enrolled.keys()])].sort(byName);
  return names.map((name) => {
    const known = enrolled.get(name);
    const slurm = withoutName(inSlurm.get(name));
    return {
      name,
      address: known?.board.address ?? slurm?.address ?? name,
      slurm,
      board: known === undefined ? null : toNodeBoard(known, lastLooks.get(known.board.id)),
    };
  });
}

/** Numbers in names by their size: `node2` before `node10`. */
const collator = new Intl.Collator('en', { numeric: true });
const byName = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : 1);

function withoutName(node: SlurmNode | undefined): NodeResource['slurm'] {
  if (node === undefined) return null;
  const { name: _, ...section } = node;
  return section;
}

function toNodeBoard(
  { board, health }: KnownBoard,
  lastLook: Operation | undefined,
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
