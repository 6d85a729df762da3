import { join } from 'node:path';
import { runCommand, runOrThrow } from '../boards/command.ts';

/** Everything about images, for all checkouts of the machine; it may be deleted when no lab is up. */
export const IMAGES_DIRECTORY = '/var/tmp/bramble-images';

const BUILT_WITHIN_MS = 30 * 60_000;
/** A storage of its own: nothing of the machine's other containers is seen or changed. */
const BUILDAH = [
  ...['buildah', '--storage-driver', 'overlay'],
  ...['--root', join(IMAGES_DIRECTORY, 'storage'), '--runroot', join(IMAGES_DIRECTORY, 'run')],
];

/** @returns what it printed, without the blanks around it. @throws LabError where it fails */
export async function buildah(...argv: string[]): Promise<string> {
  return (await runOrThrow([...BUILDAH, ...argv], { timeoutMs: BUILT_WITHIN_MS })).trim();
}

export async function imageExists(name: string): Promise<boolean> {
  return (await runCommand([...BUILDAH, 'inspect', '--type', 'image', name])).exitCode === 0;
}

/** Makes an image of a container to which `fill` has brought its files, by the path of its root. */
export async function commitImage(
  name: string,
  base: string,
  fill: (root: string) => Promise<void>,
  configuration: readonly string[] = [],
): Promise<void> {
  const container = await buildah('from', '--pull-never', base);
  try {
    await fill(await buildah('mount', container));
    if (configuration.length > 0) await buildah('config', ...configuration, container);
    await buildah('commit', '--quiet', '--format', 'docker', container, name);
  } finally {
    await buildah('rm', container);
  }
}
