import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HelmLimits } from '#core/services/helm-releases';
import type { KubernetesAccess } from '../kubernetes/kubernetes-access.ts';
import { endingWithThisProcess, findProgram } from './helm-program.ts';

export interface HelmOptions {
  /** Path of the program, or its name on PATH. Helm 4. */
  program: string;
  access: KubernetesAccess;
}

export interface HelmCommand {
  /** Never with a secret: other processes see it. */
  argv: readonly string[];
  /** What it reads from standard input. Default: nothing. */
  input?: string;
  /** Beside what Helm needs to reach the cluster. */
  environment?: Readonly<Record<string, string>>;
}

export type HelmEnd =
  | { kind: 'exited'; code: number; stdout: string; stderr: string }
  /** It was ended from here, by `signal` or because its time was up, or by a signal from elsewhere. */
  | { kind: 'ended'; because: string }
  /** It was never started. */
  | { kind: 'not_started'; because: string };

/** Between SIGTERM, on which Helm notes in the release that it was interrupted, and SIGKILL. */
const KILL_AFTER_MS = 10_000;
/** What a kubeconfig's program has inherited may stay open after Helm's end. */
const CLOSE_GRACE_MS = 1_000;
/** Manifests of large charts have a few MiB. */
const MAXIMUM_OUTPUT_CHARACTERS = 64 * 1024 * 1024;

/**
 * Runs Helm once, with directories of its own, so that nothing of one run reaches another and nothing is read of whoever
 * started this process.
 */
export async function runHelm(
  { program, access }: HelmOptions,
  command: HelmCommand,
  limits: HelmLimits,
): Promise<HelmEnd> {
  if (limits.signal?.aborted === true) return { kind: 'ended', because: CANCELLED };
  const path = await findProgram(program);
  if (path === undefined) return { kind: 'not_started', because: missing(program) };
  const home = await mkdtemp(join(tmpdir(), 'bramble-helm-'));
  const input = command.input === undefined ? undefined : await unnamedFile(home, command.input);
  try {
    const environment = { ...environmentOf(access, home), ...command.environment };
    return await runToItsEnd([path, ...command.argv], environment, input?.fd, limits);
  } finally {
    await input?.close();
    await rm(home, { recursive: true, force: true });
  }
}

const CANCELLED = 'it was cancelled';

const missing = (program: string): string =>
  `Helm is missing: there is no program ${program}. Install Helm 4, and give its path in BRAMBLE_HELM where it is not on PATH.`;

/**
 * A file that only this account could read and that has lost its name, so that a process that is killed leaves no secret
 * on the disk. Not a pipe: what was written until then would pass for the whole.
 */
async function unnamedFile(directory: string, text: string): Promise<FileHandle> {
  const file = join(directory, randomUUID());
  const handle = await open(file, 'wx+', 0o600);
  try {
    await unlink(file);
    const bytes = Buffer.from(text);
    // Writing at positions leaves the offset, where Helm begins to read, at the start.
    for (let at = 0; at < bytes.length;)
      at += (await handle.write(bytes, at, bytes.length - at, at)).bytesWritten;
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

let prefix: Promise<readonly string[]> | undefined;

async function runToItsEnd(
  argv: readonly string[],
  env: Record<string, string>,
  inputFd: number | undefined,
  { timeoutMs, signal }: HelmLimits,
): Promise<HelmEnd> {
  prefix ??= endingWithThisProcess();
  const [program = '', ...programArguments] = [...(await prefix), ...argv];
  return new Promise((resolve) => {
    // A group of its own: a terminal's Ctrl-C is for this process, which then decides.
    const child = spawn(program, programArguments, {
      cwd: '/',
      stdio: [inputFd ?? 'ignore', 'pipe', 'pipe'],
      env,
      detached: true,
    });
    let because: string | undefined;
    let kill: NodeJS.Timeout | undefined;
    const end = (reason: string): void => {
      if (because !== undefined) return;
      because = reason;
      child.kill('SIGTERM');
      kill = setTimeout(() => killGroup(child.pid), KILL_AFTER_MS);
    };
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length + text.length > MAXIMUM_OUTPUT_CHARACTERS)
          end('it wrote more than can be read');
        else output[name] += text;
      });
    }
    const overdue = setTimeout(() => end(`it took longer than ${timeoutMs / 1000} s`), timeoutMs);
    const cancelled = (): void => end(CANCELLED);
    signal?.addEventListener('abort', cancelled);
    const settle = (result: HelmEnd): void => {
      clearTimeout(overdue);
      clearTimeout(kill);
      signal?.removeEventListener('abort', cancelled);
      resolve(result);
    };
    child.once('error', (error) => {
      if (child.pid === undefined)
        settle({ kind: 'not_started', because: `Helm cannot be started: ${error.message}` });
    });
    child.once('exit', () => {
      clearTimeout(kill);
      const grace = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, CLOSE_GRACE_MS);
      child.once('close', () => clearTimeout(grace));
    });
    child.once('close', (code, endedBy) => {
      if (child.pid === undefined) return;
      if (because !== undefined) settle({ kind: 'ended', because });
      else if (code === null) settle({ kind: 'ended', because: `${endedBy ?? 'a signal'} has ended it` });
      else settle({ kind: 'exited', code, ...output });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function environmentOf(access: KubernetesAccess, home: string): Record<string, string> {
  return {
    // For a program that a kubeconfig names.
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: home,
    TMPDIR: home,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
    LC_ALL: 'C',
    ...(access.kind === 'kubeconfig'
      ? { KUBECONFIG: access.file }
      : inherited('KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT')),
  };
}

/** Variables of this process that are set. */
export function inherited(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
