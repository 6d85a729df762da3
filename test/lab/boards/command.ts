import { spawn } from 'node:child_process';
import { LabError } from '../lab-error.ts';
import type { CommandResult } from '../slurm-client.ts';

export type { CommandResult } from '../slurm-client.ts';

export interface CommandOptions {
  input?: string;
  /** SIGKILL after this time. Default 60,000. */
  timeoutMs?: number;
}

const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  HOME: '/root',
};

/** Runs a command as root in a clean environment. Any exit code is an answer; only a missing program throws. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [command, ...commandArguments] = argv;
  if (command === undefined) throw new TypeError('argv is empty');
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, {
      cwd: '/',
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
      env: ENVIRONMENT,
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

/**
 * Runs a command that has to succeed.
 *
 * @returns what it printed.
 * @throws LabError with the command and its error output.
 */
export async function runOrThrow(argv: readonly string[], options?: CommandOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(argv, options);
  if (exitCode !== 0) throw new LabError(`${argv.join(' ')} failed: ${(stderr || stdout).trim()}`);
  return stdout;
}
