import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../../scripts/debian-packages.ts';
import { runOrThrow } from '../boards/command.ts';
import { createOwnDirectory, labPaths } from '../lab-directory.ts';
import { LabError } from '../lab-error.ts';
import { withLabLock } from '../lab-lock.ts';
import { ensureGo } from './go-toolchain.ts';
import { SHARED_DIRECTORY } from './kube-directory.ts';

/** Programs that a module names as its tools. */
export interface GoTools {
  /** With `go.mod` and `go.sum`. */
  module: string;
  programs: readonly string[];
  /** Values of the linker's `-X`, for what the module's text says: versions, which modules alone do not tell. */
  linked: (goMod: GoMod) => string[];
  /** About how long it takes to build them, in words. */
  duration: string;
}

/** The text of a `go.mod`. */
export class GoMod {
  readonly text: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.text = readFileSync(join(directory, 'go.mod'), 'utf8');
  }

  /** @throws LabError where nothing of it is matched */
  named(pattern: RegExp): string {
    const found = pattern.exec(this.text)?.[1];
    if (found === undefined) throw new LabError(`${this.#directory}/go.mod does not name ${String(pattern)}`);
    return found;
  }

  versionOf(module: string): string {
    return this.named(new RegExp(`^\\t${module.replaceAll('.', '\\.')} (v\\S+)`, 'm'));
  }
}

/** Whatever the user has set for work of their own. */
const GO_ENVIRONMENT = { CGO_ENABLED: '0', GOFLAGS: '', GOTOOLCHAIN: 'local', GOWORK: 'off' };
/** A Raspberry Pi takes an hour. */
const BUILD_TIMEOUT_MS = 2 * 60 * 60_000;

/**
 * Builds programs once for all checkouts of this machine.
 *
 * @returns the directory that they are in.
 * @throws LabError when the build fails.
 */
export async function ensureGoTools(tools: GoTools, log: Log): Promise<string> {
  createOwnDirectory(SHARED_DIRECTORY, 0o755);
  const goMod = new GoMod(tools.module);
  const linked = ['-s -w', ...tools.linked(goMod).map((value) => `-X ${value}`)];
  const flags = ['-mod=readonly', '-trimpath', '-ldflags', linked.join(' ')];
  const digest = createHash('sha256')
    .update(
      [goMod.text, readFileSync(join(tools.module, 'go.sum'), 'utf8'), process.arch, ...flags].join('\0'),
    )
    .digest('hex')
    .slice(0, 12);
  const directory = join(SHARED_DIRECTORY, digest);
  if (existsSync(directory)) return directory;
  await withLabLock(
    labPaths(directory),
    async () => {
      if (existsSync(directory)) return;
      const go = await ensureGo(goMod.named(/^go (\S+)$/m), `${directory}.go`, log);
      await build(tools, go, flags, directory, log);
    },
    BUILD_TIMEOUT_MS,
  );
  return directory;
}

async function build(
  { module, programs, duration }: GoTools,
  go: string,
  flags: readonly string[],
  directory: string,
  log: Log,
): Promise<void> {
  const unfinished = `${directory}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o755 });
  log(`Building ${programs.join(', ')}: ${duration}, once (output: ${directory}.log)`);
  const startedAt = Date.now();
  const caches = `${directory}.caches`;
  const environment = go.startsWith(`${directory}.go/`) ? ownCaches(caches) : {};
  const command = [go, 'build', ...flags, '-o', `${unfinished}/`, 'tool'];
  await compile(module, command, environment, `${directory}.log`);
  for (const name of programs) {
    if (!existsSync(join(unfinished, name)))
      throw new LabError(`The build made no ${name}; see ${directory}.log`);
  }
  await runOrThrow(['sync', '--file-system', unfinished]);
  renameSync(unfinished, directory);
  for (const left of [`${directory}.log`, `${directory}.go`, caches]) {
    rmSync(left, { recursive: true, force: true });
  }
  log(`Built ${directory} in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** With the lowest claim to the processors, and ended with this process: what is compiled so far stays in Go's cache. */
async function compile(
  module: string,
  command: readonly string[],
  environment: Record<string, string>,
  logFile: string,
): Promise<void> {
  const log = openSync(logFile, 'w', 0o644);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    const child = spawn('/usr/bin/setpriv', ['--pdeathsig=TERM', 'nice', '-n', '10', ...command], {
      cwd: module,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...GO_ENVIRONMENT, ...environment },
    });
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => {
    closeSync(log);
  });
  if (exitCode !== 0) {
    const tail = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
    throw new LabError(`The build of ${module} failed; this is the end of ${logFile}:\n${tail}`);
  }
}

/** A Go that is downloaded for this leaves nothing; the user's own keeps what it has got in the user's caches. */
function ownCaches(directory: string): Record<string, string> {
  return {
    GOFLAGS: '-modcacherw',
    GOPATH: join(directory, 'path'),
    GOMODCACHE: join(directory, 'modules'),
    GOCACHE: join(directory, 'build'),
  };
}
