import { readFileSync } from 'node:fs';
import { runOrThrow } from './command.ts';

/** What is mounted on `path` or below it, in the order of mounting. */
export function mountsBelow(path: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((mountPoint) => mountPoint !== undefined)
    .filter((mountPoint) => mountPoint === path || mountPoint.startsWith(`${path}/`));
}

export function isMounted(path: string): boolean {
  return mountsBelow(path).includes(path);
}

/** Takes all mounts away, the last one first. One that a process still holds disappears when the process ends. */
export async function unmountBelow(path: string): Promise<void> {
  for (const mountPoint of mountsBelow(path).reverse()) await runOrThrow(['umount', '--lazy', mountPoint]);
}
