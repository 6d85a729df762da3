import type { Command } from 'commander';
import type { Node, NodeEvent, ObservedNode } from '../api-types.ts';
import { localTime, span } from './measures.ts';
import type { Session } from './session.ts';
import { type Column, details, table } from './table.ts';

const slurmState = ({ slurm }: Node): string | null =>
  slurm === null ? null : [slurm.state, ...slurm.flags].join('+');

/** Why something is wrong with it: by its health, or else by Slurm. */
const reason = ({ board, slurm }: Node): string | null =>
  board?.health.reasons[0]?.message ?? slurm?.reason ?? null;

const COLUMNS: readonly Column<Node>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'STATE', value: slurmState },
  { title: 'ROLES', value: ({ board }) => board?.roles.join(',') ?? null },
  { title: 'HEALTH', value: ({ board }) => board?.health.state ?? null },
  {
    title: 'CPUS',
    value: ({ slurm, board }) =>
      slurm === null ? (board?.cpus ?? null) : `${slurm.cpusAllocated}/${slurm.cpus}`,
    align: 'right',
  },
  {
    title: 'MEMORY MIB',
    value: ({ slurm, board }) =>
      slurm === null
        ? (board?.memoryMebibytes ?? null)
        : `${slurm.memoryAllocatedMebibytes}/${slurm.memoryMebibytes}`,
    align: 'right',
  },
  { title: 'PARTITIONS', value: ({ slurm }) => slurm?.partitions.join(',') ?? null },
  { title: 'FEATURES', value: ({ slurm }) => slurm?.features.join(',') ?? null },
  { title: 'REASON', value: reason },
];

const kubernetesState = ({ kubernetes }: Node): string | null => {
  if (kubernetes === null) return null;
  return (kubernetes.ready ? 'ready' : 'not ready') + (kubernetes.unschedulable ? ', cordoned' : '');
};

/** Shown where a cluster is configured. */
const KUBERNETES_COLUMN: Column<Node> = { title: 'KUBERNETES', value: kubernetesState };

const EVENT_COLUMNS: readonly Column<NodeEvent>[] = [
  { title: 'WHEN', value: ({ at }) => localTime(at) },
  { title: 'WHAT', value: ({ type, operation }) => operation?.kind ?? type },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'DETAIL', value: ({ detail }) => detail },
];

const SHOWN_EVENTS = 15;

export function addNodeCommands(program: Command, session: Session): void {
  program
    .command('nodes')
    .summary('list the nodes of the cluster')
    .action(async () => {
      const nodes = await session.client().nodes.list();
      await session.print(nodes, () => table(columnsFor(nodes.items), nodes.items));
    });

  program
    .command('node <name>')
    .summary('show a node, and what happened to it')
    .action(async (name: string) => {
      const { nodes } = session.client();
      const [node, events] = await Promise.all([nodes.get(name), nodes.events(name)]);
      await session.print({ ...node, events }, () => {
        const shown = events.slice(-SHOWN_EVENTS);
        return nodeDetails(node) + (shown.length === 0 ? '' : `\n${table(EVENT_COLUMNS, shown)}`);
      });
    });
}

const columnsFor = (nodes: readonly Node[]): readonly Column<Node>[] =>
  nodes.some(({ kubernetes }) => kubernetes !== null) ? [...COLUMNS, KUBERNETES_COLUMN] : COLUMNS;

function nodeDetails(node: ObservedNode): string {
  return details([
    ['node', node.name],
    ['address', node.address],
    ...slurmDetails(node),
    ...boardDetails(node),
    ...kubernetesDetails(node),
  ]);
}

type Details = [name: string, value: string | number | null][];

function slurmDetails(node: ObservedNode): Details {
  const { slurm, observedAt } = node;
  if (slurm === null) return [['Slurm', observedAt === null ? 'has not answered yet' : 'does not know it']];
  return [
    ['Slurm', `${slurmState(node)}, as of ${localTime(observedAt)}`],
    ['reason', slurm.reason],
    ['partitions', slurm.partitions.join(', ')],
    ['features', slurm.features.join(', ')],
    ['CPUs', `${slurm.cpusAllocated} of ${slurm.cpus} in use`],
    ['memory', `${slurm.memoryAllocatedMebibytes} of ${slurm.memoryMebibytes} MiB in use`],
  ];
}

function kubernetesDetails(node: ObservedNode): Details {
  const { kubernetes } = node;
  if (kubernetes === null) return [];
  return [
    ['Kubernetes', `${kubernetesState(node)}, as of ${localTime(kubernetes.observedAt)}`],
    ...kubernetes.problems.map(({ message }): [string, string] => ['', message]),
    ['kubelet', kubernetes.kubeletVersion],
    ['role', kubernetes.roles.join(', ')],
  ];
}

function boardDetails({ board }: ObservedNode): Details {
  if (board === null) return [];
  const { health, drift, temperatureCelsius } = board;
  const { condition } = health;
  return [
    ['roles', board.roles.join(', ')],
    [
      'labels',
      Object.entries(board.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', '),
    ],
    ['model', board.model],
    ['serial', board.serial],
    ['system', [board.os, board.kernel, board.architecture].filter((part) => part !== null).join(', ')],
    ['hardware', board.cpus === null ? null : `${board.cpus} CPUs, ${board.memoryMebibytes} MiB`],
    ['health', `${health.state}${health.since === null ? '' : ` since ${localTime(health.since)}`}`],
    ...health.reasons.map(({ message }): [string, string] => ['', message]),
    ['temperature', temperatureCelsius === null ? null : `${temperatureCelsius.toFixed(0)} °C`],
    ['throttled', board.throttled?.join(', ') ?? null],
    [
      'disk',
      condition === null
        ? null
        : `${condition.rootUsedPercent} % used, ${condition.rootFreeMebibytes} MiB left`,
    ],
    ['load', condition === null ? null : condition.load],
    ['up', condition === null ? null : span(Date.parse(condition.readAt) - Date.parse(condition.bootedAt))],
    ['drift', driftText(drift)],
  ];
}

function driftText({ state, steps, at }: NonNullable<ObservedNode['board']>['drift']): string {
  const when = at === null ? '' : `, as of ${localTime(at)}`;
  switch (state) {
    case 'inSync':
      return `none${when}`;
    case 'drifted':
      return `${steps.join(', ')}${when}`;
    case 'unknown':
      return `not known${when}`;
  }
}
