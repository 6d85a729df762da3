import { spawn } from 'node:child_process';
import { account } from './accounts.ts';
import type { LabPaths } from './lab-directory.ts';

export interface CommandResult {
  /** Null when a signal ended the command. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  durationMs: number;
}

export interface CommandOptions {
  /** The account that runs the command. Default root. */
  user?: string;
  /** Default the file system's root, which is readable for every account. */
  directory?: string;
  /** Added to a clean environment that has only PATH, LANG, HOME, USER and SLURM_CONF. */
  environment?: Record<string, string>;
  input?: string;
  /** SIGKILL after this time. Default 60,000. */
  timeoutMs?: number;
}

/** Runs a command, as a rule one of Slurm's, that sees the lab as its cluster. Any exit code is an answer, no error. */
export function runInLab(
  paths: LabPaths,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const user = account(options.user ?? 'root');
  const [command, ...commandArguments] =
    user.uid === 0
      ? argv
      : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--', ...argv];
  if (command === undefined) throw new TypeError('argv is empty');
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, {
      cwd: options.directory ?? '/',
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
        LANG: 'C.UTF-8',
        HOME: user.home,
        USER: user.name,
        LOGNAME: user.name,
        SLURM_CONF: paths.slurmConf,
        ...options.environment,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined).end(options.input ?? '');
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      resolve({ exitCode, signal, stdout, stderr, durationMs: performance.now() - startedAt });
    });
  });
}
