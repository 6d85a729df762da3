import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from '../../../scripts/debian-packages.ts';
import { runOrThrow } from '../boards/command.ts';
import { DEBIAN_MIRROR, DEBIAN_SOURCES, DEBIAN_SUITE, debootstrap } from '../debootstrap.ts';
import { ensureGo } from '../kube/go-toolchain.ts';
import { LabError } from '../lab-error.ts';
import { IMAGES_DIRECTORY, commitImage, imageExists } from './buildah.ts';

// What a registry would be asked for, made here of Debian's packages and of what the checkout has: same names, same
// contents as far as the Dockerfiles go.

export const DEBIAN = 'docker.io/library/debian:12-slim';
export const NODE = 'docker.io/library/node:24-bookworm-slim';
export const GO = 'docker.io/library/golang:1.26-bookworm';
/** Where builds find the certificates that this machine trusts: its network may have an authority of its own. */
export const BUILD_AUTHORITIES = '/run/authorities.crt';

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));

/** @throws LabError where a program that goes into them is missing */
export async function ensureBaseImages(log: Log): Promise<void> {
  const steps: [string, () => Promise<void>][] = [
    [DEBIAN, makeDebian],
    [NODE, makeNode],
    [GO, () => makeGo(log)],
  ];
  for (const [name, make] of steps) {
    if (await imageExists(name)) continue;
    log(`Making ${name} of what is here`);
    await make();
  }
}

async function makeDebian(): Promise<void> {
  const root = join(IMAGES_DIRECTORY, 'debian');
  if (!existsSync(root)) await makeDebianRoot(root);
  await commitImage(DEBIAN, 'scratch', (image) => copy(`${root}/.`, image), ['--cmd', 'bash']);
}

async function makeDebianRoot(root: string): Promise<void> {
  mkdirSync(IMAGES_DIRECTORY, { recursive: true, mode: 0o700 });
  const unfinished = mkdtempSync(`${root}-`);
  await debootstrap({ suite: DEBIAN_SUITE, mirror: DEBIAN_MIRROR }, unfinished, `${unfinished}.log`);
  writeFileSync(join(unfinished, 'etc/apt/sources.list'), DEBIAN_SOURCES);
  for (const left of ['var/cache/apt/archives', 'var/lib/apt/lists', 'var/log/bootstrap.log'])
    rmSync(join(unfinished, left), { recursive: true, force: true });
  mkdirSync(join(unfinished, 'var/cache/apt/archives/partial'), { recursive: true });
  renameSync(unfinished, root);
}

/** The Node that the checkout runs on, with the npm of this machine. */
function makeNode(): Promise<void> {
  const npm = npmDirectory();
  return commitImage(NODE, DEBIAN, async (root) => {
    await copy(join(CHECKOUT, 'node_modules/node/bin/node'), join(root, 'usr/local/bin/node'));
    const modules = join(root, 'usr/local/lib/node_modules');
    mkdirSync(modules, { recursive: true });
    cpSync(npm, join(modules, 'npm'), { recursive: true, dereference: true });
    for (const name of ['npm', 'npx'])
      symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
    mkdirSync(join(root, 'usr/local/etc'), { recursive: true });
    writeFileSync(join(root, 'usr/local/etc/npmrc'), `cafile=${BUILD_AUTHORITIES}\n`);
  });
}

/** Of the first npm in PATH, which as a rule is a link to its program. */
function npmDirectory(): string {
  const programs = (process.env.PATH ?? '').split(':').map((path) => join(path, 'npm'));
  const program = programs.find((path) => existsSync(path));
  const directory = program === undefined ? '' : dirname(dirname(realpathSync(program)));
  if (!existsSync(join(directory, 'bin/npm-cli.js')))
    throw new LabError('There is no npm in PATH that could go into an image');
  return directory;
}

async function makeGo(log: Log): Promise<void> {
  const go = await ensureGo('1.26.0', join(IMAGES_DIRECTORY, 'go'), log);
  const path = '/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const environment = { PATH: path, GOPATH: '/go', SSL_CERT_FILE: BUILD_AUTHORITIES };
  await commitImage(
    GO,
    DEBIAN,
    (root) => copy(dirname(dirname(go)), join(root, 'usr/local/go')),
    Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
  );
}

const copy = async (from: string, to: string): Promise<void> => {
  await runOrThrow(['cp', '--archive', from, to], { timeoutMs: 300_000 });
};
