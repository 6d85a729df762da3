import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../../../scripts/debian-packages.ts';
import { debootstrap } from '../debootstrap.ts';
import { labPaths } from '../lab-directory.ts';
import { withLabLock } from '../lab-lock.ts';
import { baseRecipe, recipeDigest } from './base-recipe.ts';
import type { BaseRecipe, BoardArchitecture, Stock } from './base-recipe.ts';
import { SHARED_DIRECTORY, createSharedDirectory } from './boards-directory.ts';
import { runOrThrow } from './command.ts';
import { unmountBelow } from './mounts.ts';

/**
 * The root file system that lies below all boards of an architecture, which the machine has to run. The first call makes
 * it, in about a minute, or five where programs are emulated; it is shared by all checkouts and stays.
 *
 * @returns its directory.
 * @throws LabError when debootstrap fails.
 */
export async function ensureBaseSystem(
  architecture: BoardArchitecture,
  log: Log,
  options: { stocked?: Stock | undefined } = {},
): Promise<string> {
  createSharedDirectory();
  const recipe = baseRecipe(architecture, options);
  const directory = join(SHARED_DIRECTORY, `base-${recipeDigest(recipe)}`);
  const root = join(directory, 'root');
  if (existsSync(root)) return root;
  await withLabLock(labPaths(directory), async () => {
    if (existsSync(root)) return;
    const unfinished = `${directory}.new`;
    await unmountBelow(unfinished);
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { mode: 0o700 });
    log(
      `Making the boards' base system, Debian ${recipe.suite} for ${architecture}: about a minute, emulated five, once`,
    );
    const startedAt = Date.now();
    await debootstrap(recipe, join(unfinished, 'root'), `${directory}.log`);
    await finish(recipe, join(unfinished, 'root'));
    await runOrThrow(['sync', '--file-system', unfinished]);
    renameSync(unfinished, directory);
    log(`Made ${directory} in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  });
  return root;
}

const STOCKED_WITHIN_MS = 20 * 60_000;

/** With /proc of its own, as some packages want it. Where no systemd runs, no service is started. */
async function stock({ packages, services }: NonNullable<BaseRecipe['stock']>, root: string): Promise<void> {
  const proxy = process.env.http_proxy ?? process.env.HTTP_PROXY;
  const inside = (...argv: string[]) =>
    runOrThrow(
      [
        ...['unshare', '--mount', '--pid', '--fork', `--mount-proc=${root}/proc`, 'chroot', root, 'env'],
        ...[
          ...(proxy === undefined ? [] : [`http_proxy=${proxy}`]),
          'DEBIAN_FRONTEND=noninteractive',
          ...argv,
        ],
      ],
      { timeoutMs: STOCKED_WITHIN_MS },
    );
  await inside('apt-get', '-q', '-o', 'APT::Update::Error-Mode=any', 'update');
  await inside('apt-get', '-q', '-y', '--no-install-recommends', 'install', ...packages);
  await inside('apt-get', 'clean');
  if (services.length > 0) await inside('systemctl', 'disable', ...services);
}

async function finish(recipe: BaseRecipe, root: string): Promise<void> {
  for (const { path, content, mode } of recipe.files) {
    mkdirSync(dirname(join(root, path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(root, path), content, { mode });
  }
  for (const { argv, input } of recipe.commands) {
    await runOrThrow(['chroot', root, ...argv], input === undefined ? {} : { input });
  }
  // After the diversions of the fixtures.
  if (recipe.stock !== undefined) await stock(recipe.stock, root);
  for (const path of recipe.removed) rmSync(join(root, path), { recursive: true, force: true });
}
