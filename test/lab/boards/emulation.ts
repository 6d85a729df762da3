import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { ensureDebianPackages } from '../../../scripts/debian-packages.ts';
import type { Log } from '../../../scripts/debian-packages.ts';
import { LabError } from '../lab-error.ts';
import type { BoardArchitecture } from './base-recipe.ts';
import { runOrThrow } from './command.ts';

const QEMU = { amd64: 'qemu-x86_64', arm64: 'qemu-aarch64' } as const;
const BINFMT = '/proc/sys/fs/binfmt_misc';

export function machineArchitecture(): BoardArchitecture {
  return arch() === 'arm64' ? 'arm64' : 'amd64';
}

/**
 * Lets this machine run programs of that architecture: installs qemu-user-static, and registers it until the machine
 * starts anew. An entry of the lab's own goes before Debian's, which lacks the flag C: without it sudo fails.
 *
 * @throws LabError when the kernel cannot.
 */
export async function ensureEmulation(architecture: BoardArchitecture, log: Log): Promise<void> {
  if (architecture === machineArchitecture()) return;
  await ensureDebianPackages('emulation', log);
  const name = `bramble-${architecture}`;
  if (!existsSync(`${BINFMT}/register`))
    await runOrThrow(['mount', '-t', 'binfmt_misc', 'binfmt_misc', BINFMT]);
  if (existsSync(`${BINFMT}/${name}`)) return;
  const line = readFileSync(`/usr/lib/binfmt.d/${QEMU[architecture]}.conf`, 'utf8').trim();
  try {
    writeFileSync(
      `${BINFMT}/register`,
      line.replace(`:${QEMU[architecture]}:`, `:${name}:`).replace(/:[A-Z]*$/, ':POCF'),
    );
  } catch (error) {
    // Two labs may start at once.
    if (!existsSync(`${BINFMT}/${name}`))
      throw new LabError(`The kernel does not take programs for ${architecture}: ${String(error)}`);
  }
}
