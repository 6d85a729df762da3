import type { BoardFacts } from '../../board.ts';

/** What Slurm has to know of a board. */
export interface NodeDefinition {
  memoryMebibytes: number;
  features: string[];
}

const MEBIBYTES_PER_GIBIBYTE = 1024;
const LARGE_PAGE_BYTES = 16_384;
const LEAST_RESERVE_MEBIBYTES = 64;

/**
 * Memory that jobs may have is what slurmd measures less 5 %, and at least 64 MiB: a node that has less than it declares
 * is taken out of service, and the system has to live too.
 */
export function nodeDefinition(facts: BoardFacts): NodeDefinition {
  const reserve = Math.max(Math.ceil(facts.memoryMebibytes * 0.05), LEAST_RESERVE_MEBIBYTES);
  return { memoryMebibytes: facts.memoryMebibytes - reserve, features: features(facts) };
}

/** What jobs may ask for with `--constraint`: mixed architectures or page sizes do not run one program. */
function features({ model, architecture, memoryMebibytes, pageSizeBytes }: BoardFacts): string[] {
  return [
    ...modelFeature(model),
    architecture,
    boardMemory(memoryMebibytes),
    ...(pageSizeBytes === LARGE_PAGE_BYTES ? ['page16k'] : []),
  ];
}

/** `Raspberry Pi 4 Model B Rev 1.4` is `rpi4`, `Raspberry Pi Zero 2 W` is `rpizero2`; the first ones have no number. */
function modelFeature(model: string | null): string[] {
  const match = /^Raspberry Pi(?: Compute Module)?(?: (Zero 2|Zero|\d+))?\b/.exec(model ?? '');
  return match === null ? [] : [`rpi${(match[1] ?? '1').toLowerCase().replace(' ', '')}`];
}

/** As the board is sold: what the kernel counts is a little less, and with the GPU's share a lot. */
function boardMemory(mebibytes: number): string {
  const sizes = [256, 512, ...[1, 2, 4, 8, 16, 32, 64].map((size) => size * MEBIBYTES_PER_GIBIBYTE)];
  const size = sizes.find((candidate) => mebibytes <= candidate) ?? mebibytes;
  return size < MEBIBYTES_PER_GIBIBYTE ? `${size}m` : `${Math.round(size / MEBIBYTES_PER_GIBIBYTE)}g`;
}
