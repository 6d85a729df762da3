import { z } from 'zod';

const MEMORY = /^([1-9]\d{0,8})([KMGT])$/;
const KIBIBYTES = { K: 1, M: 1024, G: 1024 ** 2, T: 1024 ** 3 } as const;

/** Mebibytes of `"512M"` or `"2G"`, rounded up; undefined where the text is no amount of memory. */
export function parseMemoryMebibytes(text: string): number | undefined {
  const match = MEMORY.exec(text);
  if (match === null) return undefined;
  const [, amount, unit] = match;
  return Math.ceil((Number(amount) * KIBIBYTES[unit as keyof typeof KIBIBYTES]) / 1024);
}

export const memorySchema = z
  .string()
  .regex(MEMORY, 'must be an amount with its unit K, M, G or T, such as "512M" or "2G"')
  .describe('An amount of memory with its unit (binary, as Slurm counts): `512M`, `2G`.');
