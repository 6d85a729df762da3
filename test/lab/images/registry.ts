import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebianPackages } from '../../../scripts/debian-packages.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { isListening } from '../listening.ts';
import type { LabPaths } from '../lab-directory.ts';
import { startDaemon, daemonPid, waitUntilReady } from '../processes.ts';
import { IMAGES_DIRECTORY, buildah } from './buildah.ts';

export const REGISTRY_DAEMON = 'docker-registry';
const PORT = 5000;
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/**
 * Starts a registry on an address of this machine, over plain HTTP. What is in it is kept for the next one, and for all
 * checkouts.
 *
 * @returns host and port
 */
export async function startRegistry(lab: LabPaths, address: string): Promise<string> {
  await ensureDebianPackages('images', () => undefined);
  const place = `${address}:${PORT}`;
  if (daemonPid(lab, REGISTRY_DAEMON) !== undefined) return place;
  const file = join(lab.directory, 'registry.json');
  mkdirSync(join(IMAGES_DIRECTORY, 'registry'), { recursive: true, mode: 0o700 });
  // JSON is YAML. https://distribution.github.io/distribution/about/configuration/
  const configuration = {
    version: 0.1,
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(IMAGES_DIRECTORY, 'registry') } },
    http: { addr: place },
  };
  writeFileAtomically(file, JSON.stringify(configuration), 0o644);
  startDaemon(lab, {
    name: REGISTRY_DAEMON,
    command: '/usr/bin/docker-registry',
    commandArguments: ['serve', file],
  });
  await waitUntilReady(lab, REGISTRY_DAEMON, () => isListening({ host: address, port: PORT }), 20);
  return place;
}

/** Whether the registry has an image by its tag. */
export async function isIn(registry: string, image: string): Promise<boolean> {
  const [path = '', tag = ''] = pathOf(image).split(':');
  const response = await fetch(`http://${registry}/v2/${path}/manifests/${tag}`, {
    method: 'HEAD',
    headers: { accept: MANIFEST },
  });
  return response.ok;
}

/** Brings an image to a registry under its own path; layers that are there are not sent. */
export async function pushTo(registry: string, image: string): Promise<void> {
  await buildah('push', '--quiet', '--tls-verify=false', image, `docker://${registry}/${pathOf(image)}`);
}

const pathOf = (image: string): string => image.slice(image.indexOf('/') + 1);
