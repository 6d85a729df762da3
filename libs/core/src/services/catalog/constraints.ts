import type { ClusterCapabilities } from '../service-objects.ts';
import type { ServiceConstraints } from './catalog-entry.ts';

/** Something that a service asks for, and the cluster has not, or not everywhere. */
export interface UnmetConstraint {
  code: 'architecture' | 'page_size' | 'memory' | 'kubernetes' | 'kernel_module' | 'kind';
  /** What is missing, and what helps. */
  message: string;
  /** Whether the service cannot run. Otherwise it is pointed out: parts of it may not, or nobody can tell. */
  blocking: boolean;
}

/** Of boards that may be nodes of Kubernetes, too; they are matched by name. */
export interface BoardPages {
  name: string;
  pageSizeBytes: number | null;
}

type Node = ClusterCapabilities['nodes'][number];

const LARGE_PAGE_BYTES = 16_384;
const PAGE_BYTES = 4096;

/** What brings kinds that Kubernetes does not have, by the group of the API. */
const BRINGERS: Readonly<Record<string, string>> = {
  'monitoring.coreos.com': 'monitoring',
  'cert-manager.io': 'cert-manager',
  'metallb.io': 'metallb',
};

/** What a cluster lacks of what services ask for; the same thing is told once. */
export function unmetConstraints(
  asked: readonly ServiceConstraints[],
  cluster: ClusterCapabilities,
  boards: readonly BoardPages[],
): UnmetConstraint[] {
  const found = asked.flatMap((constraints) => [
    ...kubernetes(constraints, cluster),
    ...architectures(constraints, cluster.nodes),
    ...pages(constraints, cluster.nodes, boards),
    ...memory(constraints, cluster.nodes),
    ...kinds(constraints, cluster),
    ...kernelModules(constraints),
  ]);
  return found.filter(
    ({ message }, index) => found.findIndex((other) => other.message === message) === index,
  );
}

/**
 * Size of a page of memory on a node, in bytes: of the board with its name, or else by the kernel. That of a Raspberry Pi 5,
 * `…-rpi-2712`, has 16 KiB.
 * @returns null where nobody knows
 */
export function pageBytesOf({ name, kernel }: Node, boards: readonly BoardPages[]): number | null {
  const told = boards.find((board) => board.name === name)?.pageSizeBytes ?? null;
  if (told !== null) return told;
  if (kernel === null) return null;
  return kernel.endsWith('-2712') ? LARGE_PAGE_BYTES : PAGE_BYTES;
}

function kubernetes({ kubernetes: oldest }: ServiceConstraints, { version }: ClusterCapabilities) {
  if (oldest === undefined || minor(version) >= minor(oldest)) return [];
  return [
    unmet('kubernetes', `needs Kubernetes ${oldest} or newer, and this is ${version}: upgrade the cluster`),
  ];
}

/** 1036 of `v1.36.3+k3s1`. */
function minor(version: string): number {
  const [, major = '0', number = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) * 1000 + Number(number);
}

function architectures({ architectures: those }: ServiceConstraints, nodes: readonly Node[]) {
  if (those === undefined) return [];
  const others = nodes.filter(
    ({ architecture }) => architecture !== null && !those.some((name) => name === architecture),
  );
  return partly(
    'architecture',
    others,
    nodes,
    `has images for ${those.join(', ')} only: add a node of such an architecture`,
    (names) =>
      `has images for ${those.join(', ')} only: pods that come to ${names} do not start. Taint such nodes.`,
  );
}

function pages(
  { largestPageSize }: ServiceConstraints,
  nodes: readonly Node[],
  boards: readonly BoardPages[],
) {
  if (largestPageSize === undefined) return [];
  const others = nodes.filter((node) => (pageBytesOf(node, boards) ?? 0) > largestPageSize);
  const remedy = 'on a Raspberry Pi 5, kernel=kernel8.img in /boot/firmware/config.txt and a restart help';
  return partly(
    'page_size',
    others,
    nodes,
    `has programs that abort with pages of more than ${largestPageSize} bytes, and all nodes have such: ${remedy}`,
    (names) =>
      `has programs that abort with pages of more than ${largestPageSize} bytes, as ${names} has: ${remedy}`,
  );
}

/** Blocking where no node is left; where some are, it is pointed out. */
function partly(
  code: UnmetConstraint['code'],
  unfit: readonly Node[],
  nodes: readonly Node[],
  nowhere: string,
  somewhere: (names: string) => string,
): UnmetConstraint[] {
  if (unfit.length === 0) return [];
  return unfit.length === nodes.length
    ? [unmet(code, nowhere)]
    : [{ ...unmet(code, somewhere(unfit.map(({ name }) => name).join(', '))), blocking: false }];
}

function memory({ memoryMebibytes: asked }: ServiceConstraints, nodes: readonly Node[]) {
  if (asked === undefined || nodes.some(({ memoryMebibytes: has }) => has === null || has >= asked))
    return [];
  return [
    unmet('memory', `needs a node with ${asked} MiB of memory, and none has so much: add a larger one`),
  ];
}

function kinds({ kinds: needed = [] }: ServiceConstraints, cluster: ClusterCapabilities) {
  return needed
    .filter((kind) => !cluster.kinds.has(kind))
    .map((kind) => {
      const bringer = BRINGERS[kind.split('/')[0] ?? ''];
      const remedy =
        bringer === undefined ? 'install what brings it' : `install the service ${bringer} first`;
      return unmet('kind', `needs the kind ${kind}, which the API server does not know: ${remedy}`);
    });
}

const kernelModules = ({ kernelModules: modules = [] }: ServiceConstraints): UnmetConstraint[] =>
  modules.map((module) => ({
    ...unmet(
      'kernel_module',
      `needs the module ${module} in the kernels of its nodes, which the API server does not tell: ` +
        `\`modprobe ${module}\` there must succeed`,
    ),
    blocking: false,
  }));

const unmet = (code: UnmetConstraint['code'], message: string): UnmetConstraint => ({
  code,
  message,
  blocking: true,
});
