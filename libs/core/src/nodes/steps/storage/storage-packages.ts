import { readBoardFile, writeBoardFile } from '../../board-files.ts';
import type { BoardStorage } from '../../board.ts';
import type { StepContext } from '../../board-step.ts';
import { installPackages } from '../../packages.ts';
import { exportsFile } from './exports-file.ts';
import { HOSTS_ALLOW, hostsAllow } from './package-cache-files.ts';

/** Debian packages that a storage board needs for what it offers. */
export function storagePackages(storage: BoardStorage, subnet: string): string[] {
  return [
    ...(storage.disk === null ? [] : ['fdisk']),
    ...(exportsFile(storage, subnet) === undefined ? [] : ['nfs-kernel-server']),
    ...(storage.packageCache ? ['apt-cacher-ng'] : []),
  ];
}

/**
 * Installs all packages that a storage board needs: the first step that misses one spares the others their way to apt.
 * The cache starts as soon as it is installed, so who may use it is settled before.
 * @throws StepProblem
 */
export async function installStoragePackages(context: StepContext, storage: BoardStorage): Promise<void> {
  if (storage.packageCache) await keepCacheForSubnet(context);
  await installPackages(context, storagePackages(storage, context.site.subnet));
}

/** @throws StepProblem */
export async function keepCacheForSubnet({ connection, site }: StepContext): Promise<void> {
  const current = (await readBoardFile(connection, HOSTS_ALLOW)) ?? '';
  const wanted = hostsAllow(current, site.subnet);
  if (wanted !== current) await writeBoardFile(connection, HOSTS_ALLOW, wanted);
}
