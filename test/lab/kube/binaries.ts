import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackages } from '../../../scripts/debian-packages.ts';
import type { Log } from '../../../scripts/debian-packages.ts';
import { runOrThrow } from '../boards/command.ts';
import { createOwnDirectory, labPaths } from '../lab-directory.ts';
import { LabError } from '../lab-error.ts';
import { withLabLock } from '../lab-lock.ts';
import { API_SERVER, CONTROLLER_MANAGER, ETCD, KWOK, SCHEDULER } from './daemon-names.ts';
import { ensureGo } from './go-toolchain.ts';
import { SHARED_DIRECTORY } from './kube-directory.ts';

/** The paths of the programs. */
export interface KubeBinaries {
  [ETCD]: string;
  [API_SERVER]: string;
  [CONTROLLER_MANAGER]: string;
  [SCHEDULER]: string;
  [KWOK]: string;
  helm: string;
}

const BUILT = [API_SERVER, CONTROLLER_MANAGER, SCHEDULER, KWOK, 'helm'] as const;
const TOOLS = fileURLToPath(new URL('tools', import.meta.url));
/** Whatever the user has set for work of their own. */
const GO_ENVIRONMENT = { CGO_ENABLED: '0', GOFLAGS: '', GOTOOLCHAIN: 'local', GOWORK: 'off' };
/** A Raspberry Pi takes an hour. */
const BUILD_TIMEOUT_MS = 2 * 60 * 60_000;

/**
 * The programs of a control plane: those of `KUBEBUILDER_ASSETS` where that is set, else ones that are built here from
 * `tools/go.mod`, once for all checkouts, and etcd from Debian.
 *
 * @throws LabError when `KUBEBUILDER_ASSETS` lacks one, or the build fails.
 */
export async function ensureBinaries(log: Log): Promise<KubeBinaries> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  if (assets !== undefined && assets !== '') return binariesOf(assets);
  await ensureDebianPackages('kube', log);
  return binariesIn(await ensureBuilt(log), '/usr/bin/etcd');
}

async function binariesOf(assets: string): Promise<KubeBinaries> {
  const missing = [ETCD, ...BUILT].filter((name) => !existsSync(join(assets, name)));
  if (missing.length > 0) {
    throw new LabError(
      `KUBEBUILDER_ASSETS is ${assets}, and there is no ${missing.join(', ')} in it. Add what is missing, or unset the ` +
        'variable: then all is built here.',
    );
  }
  await ensureOpenssl();
  return binariesIn(assets, join(assets, ETCD));
}

async function ensureOpenssl(): Promise<void> {
  await runOrThrow(['openssl', 'version']).catch((error: unknown) => {
    throw new LabError('openssl is missing; install the package openssl', { cause: error });
  });
}

function binariesIn(directory: string, etcd: string): KubeBinaries {
  return {
    [ETCD]: etcd,
    [API_SERVER]: join(directory, API_SERVER),
    [CONTROLLER_MANAGER]: join(directory, CONTROLLER_MANAGER),
    [SCHEDULER]: join(directory, SCHEDULER),
    [KWOK]: join(directory, KWOK),
    helm: join(directory, 'helm'),
  };
}

async function ensureBuilt(log: Log): Promise<string> {
  createOwnDirectory(SHARED_DIRECTORY, 0o755);
  const goMod = readFileSync(join(TOOLS, 'go.mod'), 'utf8');
  const flags = buildFlags(goMod);
  const digest = createHash('sha256')
    .update([goMod, readFileSync(join(TOOLS, 'go.sum'), 'utf8'), process.arch, ...flags].join('\0'))
    .digest('hex')
    .slice(0, 12);
  const directory = join(SHARED_DIRECTORY, digest);
  if (existsSync(directory)) return directory;
  const locked = labPaths(directory);
  await withLabLock(
    locked,
    async () => {
      if (existsSync(directory)) return;
      const go = await ensureGo(named(goMod, /^go (\S+)$/m), `${directory}.go`, log);
      await build(go, flags, directory, log);
    },
    BUILD_TIMEOUT_MS,
  );
  return directory;
}

/**
 * From Go modules alone the server calls itself `v0.0.0-master`, which charts with a `kubeVersion` refuse, and Helm has no
 * patch level.
 */
function buildFlags(goMod: string): string[] {
  const kubernetes = named(goMod, /^\tk8s\.io\/kubernetes (v\S+)/m);
  const helm = named(goMod, /^\thelm\.sh\/helm\/v4 (v\S+)/m);
  const [major = '', minor = ''] = kubernetes.slice(1).split('.');
  const linked = [
    '-s -w',
    `-X k8s.io/component-base/version.gitVersion=${kubernetes}`,
    `-X k8s.io/component-base/version.gitMajor=${major}`,
    `-X k8s.io/component-base/version.gitMinor=${minor}`,
    `-X helm.sh/helm/v4/internal/version.version=${helm}`,
  ];
  return ['-mod=readonly', '-trimpath', '-ldflags', linked.join(' ')];
}

function named(goMod: string, pattern: RegExp): string {
  const found = pattern.exec(goMod)?.[1];
  if (found === undefined) throw new LabError(`${TOOLS}/go.mod does not name ${String(pattern)}`);
  return found;
}

async function build(go: string, flags: readonly string[], directory: string, log: Log): Promise<void> {
  const unfinished = `${directory}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o755 });
  log(
    'Building kube-apiserver, kube-controller-manager, kube-scheduler, kwok and helm: about 8 minutes on two cores, ' +
      `once (output: ${directory}.log)`,
  );
  const startedAt = Date.now();
  const caches = `${directory}.caches`;
  const environment = go.startsWith(`${directory}.go/`) ? ownCaches(caches) : {};
  await compile([go, 'build', ...flags, '-o', `${unfinished}/`, 'tool'], environment, `${directory}.log`);
  for (const name of BUILT) {
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
  command: readonly string[],
  environment: Record<string, string>,
  logFile: string,
): Promise<void> {
  const log = openSync(logFile, 'w', 0o644);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    const child = spawn('/usr/bin/setpriv', ['--pdeathsig=TERM', 'nice', '-n', '10', ...command], {
      cwd: TOOLS,
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
    throw new LabError(`The control plane could not be built; this is the end of ${logFile}:\n${tail}`);
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
