import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface HelmOptions {
  /** Path of the program. */
  program: string;
  /** A kubeconfig; left out, Helm takes the service account of its pod. */
  kubeconfig?: string;
}

export type HelmEnd =
  | { kind: 'exited'; code: number; stdout: string; stderr: string }
  /** It was ended from here, by `signal` or because its time was up. */
  | { kind: 'ended'; because: string }
  /** It was never started. */
  | { kind: 'missing'; because: string };

/** Between SIGTERM, on which Helm notes in the release that it was interrupted, and SIGKILL. */
const KILL_AFTER_MS = 10_000;
/** Manifests of large charts have a few MiB. */
const MAXIMUM_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Runs Helm once, with directories of its own, so that nothing of one run reaches another and nothing is read of whoever
 * started this process.
 * @param argv never a secret: other processes see it
 */
export async function runHelm(
  { program, kubeconfig }: HelmOptions,
  argv: readonly string[],
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
): Promise<HelmEnd> {
  const home = await mkdtemp(join(tmpdir(), 'bramble-helm-'));
  try {
    return await runIn(home, [program, ...argv], kubeconfig, timeoutMs, signal);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function runIn(
  home: string,
  [program = '', ...argv]: readonly string[],
  kubeconfig: string | undefined,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<HelmEnd> {
  return new Promise((resolve) => {
    const child = spawn(program, argv, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: '/usr/bin:/bin',
        HOME: home,
        HELM_CACHE_HOME: join(home, 'cache'),
        HELM_CONFIG_HOME: join(home, 'config'),
        HELM_DATA_HOME: join(home, 'data'),
        LC_ALL: 'C',
        ...(kubeconfig === undefined ? inCluster() : { KUBECONFIG: kubeconfig }),
      },
    });
    let because: string | undefined;
    let kill: NodeJS.Timeout | undefined;
    const end = (reason: string) => {
      if (because !== undefined) return;
      because = reason;
      child.kill('SIGTERM');
      kill = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    };
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        if (output[name].length > MAXIMUM_OUTPUT_BYTES) end('it wrote more than can be read');
      });
    }
    const overdue = setTimeout(() => end(`it took longer than ${timeoutMs / 1000} s`), timeoutMs);
    const cancelled = () => end('it was cancelled');
    if (signal?.aborted === true) cancelled();
    signal?.addEventListener('abort', cancelled);
    const settle = (result: HelmEnd) => {
      clearTimeout(overdue);
      clearTimeout(kill);
      signal?.removeEventListener('abort', cancelled);
      resolve(result);
    };
    child.once('error', (error) => settle({ kind: 'missing', because: error.message }));
    child.once('close', (code) => {
      if (because !== undefined) settle({ kind: 'ended', because });
      else if (code === null) settle({ kind: 'ended', because: 'a signal ended it' });
      else settle({ kind: 'exited', code, ...output });
    });
  });
}

/** What tells a program in a pod where the cluster is. */
function inCluster(): Record<string, string> {
  return Object.fromEntries(
    ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
