import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { ensureDebianPackages } from '../../../scripts/debian-packages.ts';
import type { Log } from '../../../scripts/debian-packages.ts';
import { runOrThrow } from '../boards/command.ts';
import { REGISTRY_NAME, SANDBOX_IMAGE } from '../kube/machine/machine-configuration.ts';
import { createOwnDirectory, labPaths } from '../lab-directory.ts';
import { withLabLock } from '../lab-lock.ts';
import { BUILD_AUTHORITIES, ensureBaseImages } from './base-images.ts';
import { IMAGES_DIRECTORY, buildah, commitImage } from './buildah.ts';
import { isIn, pushTo } from './registry.ts';

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';
const ARCHITECTURES: Partial<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

interface LabImage {
  context: string;
  options: string[];
  /** Patterns of the files that decide what is in it. */
  inputs: string[];
}

const OF_BRAMBLE = [
  ...[
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'libs/sdk/package.json',
    'scripts/{build-apps,bundle,installation}.ts',
  ],
  ...['apps/**', 'libs/core/**', 'libs/infra/**', 'deploy/helm/services/**', 'deploy/docker/bramble/**'],
];
const ofBramble = (target: string): LabImage => ({
  context: '.',
  options: ['--target', target, '--file', join(CHECKOUT, 'deploy/docker/bramble/Dockerfile')],
  inputs: OF_BRAMBLE,
});
const ofDirectory = (context: string): LabImage => ({ context, options: [], inputs: [`${context}/**`] });

/** What the charts of Bramble run, by the Dockerfiles of `deploy/docker`. */
const IMAGES = {
  api: ofBramble('api'),
  worker: ofBramble('worker'),
  slurm: ofDirectory('deploy/docker/slurm'),
  netboot: ofDirectory('deploy/docker/netboot'),
};

/** The tags by which the images of this very checkout are in the registry, for the charts. */
export type ImageTags = Record<keyof typeof IMAGES, string>;

/**
 * Builds the images of this checkout and brings them to a registry, as far as they are not there. The first time takes
 * minutes: base images are made as well.
 *
 * @throws LabError with what the builder said.
 */
export async function ensureImages(registry: string, log: Log): Promise<ImageTags> {
  await ensureDebianPackages('images', log);
  createOwnDirectory(IMAGES_DIRECTORY, 0o700);
  return withLabLock(labPaths(join(IMAGES_DIRECTORY, 'build')), async () => {
    await ensureSandbox(registry, log);
    const tags: Partial<ImageTags> = {};
    for (const [name, image] of Object.entries(IMAGES))
      tags[name as keyof ImageTags] = await ensureImage(registry, name, image, log);
    return tags as ImageTags;
  });
}

async function ensureImage(registry: string, name: string, image: LabImage, log: Log): Promise<string> {
  const tag = `lab-${fingerprint(image)}`;
  const reference = `${REGISTRY_NAME}/bramble/${name}:${tag}`;
  if (await isIn(registry, reference)) return tag;
  await ensureBaseImages(log);
  const startedAt = Date.now();
  await build(reference, image);
  await pushTo(registry, reference);
  log(`Built ${reference} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  return tag;
}

function fingerprint({ inputs, options }: LabImage): string {
  const hash = createHash('sha256').update(options.slice(0, 2).join(' '));
  const files = globSync(inputs, {
    cwd: CHECKOUT,
    dot: true,
    ignore: ['**/*.spec.ts', '**/node_modules/**'],
  });
  for (const file of files.toSorted())
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(CHECKOUT, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 12);
}

async function build(reference: string, { context, options }: LabImage): Promise<void> {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  await buildah(
    ...['build', '--pull-never', '--layers', '--network', 'host', '--format', 'docker', '--quiet'],
    // Builders of today set these by themselves; that of Debian 12 does not.
    ...['--build-arg', 'TARGETOS=linux', '--build-arg', `TARGETARCH=${architecture}`],
    ...['--volume', `${AUTHORITIES}:${BUILD_AUTHORITIES}:ro`, '--tag', reference],
    ...[...options, join(CHECKOUT, context)],
  );
}

/** Every distribution of Kubernetes brings an image of its own for this. */
async function ensureSandbox(registry: string, log: Log): Promise<void> {
  if (await isIn(registry, SANDBOX_IMAGE)) return;
  // For gcc.
  await ensureDebianPackages('slurm', log);
  const directory = mkdtempSync(join(tmpdir(), 'bramble-sandbox-'));
  const program = join(directory, 'sandbox');
  const source = fileURLToPath(new URL('sandbox.c', import.meta.url));
  const bring = async (root: string): Promise<void> => {
    await runOrThrow(['cp', program, root]);
  };
  try {
    await runOrThrow(['gcc', '-static', '-Os', '-s', '-o', program, source]);
    await commitImage(SANDBOX_IMAGE, 'scratch', bring, ['--entrypoint', '["/sandbox"]']);
    await pushTo(registry, SANDBOX_IMAGE);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
