import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, type Identity } from './command-identity.ts';
import {
  COMMAND_LANG,
  COMMAND_PATH,
  type CommandOptions,
  type CommandResult,
  type CommandTransport,
  DEFAULT_MAXIMUM_OUTPUT_BYTES,
} from './command-transport.ts';
import { OutputBuffer } from './output-buffer.ts';

const CLOSE_GRACE_MS = 1_000;

/**
 * Runs commands on this machine.
 *
 * Another account's commands can only be run by a worker that is root. libuv then drops all supplementary groups; for
 * sbatch that makes no difference, because slurmctld looks up the groups of the job's user itself.
 */
export class LocalTransport implements CommandTransport {
  readonly startsWithinMs = 2_000;
  readonly #temporaryDirectory: string;

  /** @param options.temporaryDirectory where a command's input lies, without a name, while the command runs */
  constructor(options: { temporaryDirectory?: string } = {}) {
    this.#temporaryDirectory = options.temporaryDirectory ?? tmpdir();
  }

  async run(argv: readonly [string, ...string[]], options: CommandOptions): Promise<CommandResult> {
    const calledAt = performance.now();
    const identity = identify(options.account, process.getuid?.() ?? -1);
    if ('because' in identity) return { kind: 'unreachable', because: identity.because };
    const input = await this.#input(options.input);
    if (input !== undefined && 'because' in input) return { kind: 'unreachable', because: input.because };
    try {
      if (performance.now() - calledAt > this.startsWithinMs) {
        return {
          kind: 'unreachable',
          because: `it took longer than ${this.startsWithinMs} ms to prepare its input`,
        };
      }
      return await runToItsEnd(argv, options, identity, input?.fd);
    } finally {
      await input?.close();
    }
  }

  /**
   * A file rather than a pipe: were the worker killed while it writes to a pipe, the command would take what came so
   * far for the whole.
   */
  async #input(text: string | undefined): Promise<FileHandle | { because: string } | undefined> {
    if (text === undefined) return undefined;
    const file = join(this.#temporaryDirectory, `bramble-input-${randomUUID()}`);
    let handle: FileHandle | undefined;
    try {
      handle = await open(file, 'wx+', 0o600);
      await unlink(file);
      const bytes = Buffer.from(text);
      // Writing at positions leaves the file offset, where the command begins to read, at the start.
      for (let at = 0; at < bytes.length;)
        at += (await handle.write(bytes, at, bytes.length - at, at)).bytesWritten;
      return handle;
    } catch (error) {
      await handle?.close();
      return { because: `its input could not be kept in ${this.#temporaryDirectory}: ${messageOf(error)}` };
    }
  }
}

function runToItsEnd(
  [program, ...programArguments]: readonly [string, ...string[]],
  options: CommandOptions,
  identity: Identity,
  inputFd: number | undefined,
): Promise<CommandResult> {
  const limitBytes = options.maximumOutputBytes ?? DEFAULT_MAXIMUM_OUTPUT_BYTES;
  const output = new OutputBuffer(limitBytes);
  const child = spawn(program, programArguments, {
    cwd: '/',
    env: { PATH: COMMAND_PATH, LANG: COMMAND_LANG, ...identity.env, ...options.env },
    stdio: [inputFd ?? 'ignore', 'pipe', 'pipe'],
    detached: true,
    ...identity.ids,
  });
  return new Promise((resolve) => {
    let stopped: 'timed_out' | 'flooded' | undefined;
    const stop = (why: 'timed_out' | 'flooded') => {
      stopped ??= why;
      killGroup(child);
    };
    const timer = setTimeout(() => stop('timed_out'), options.timeoutMs);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (chunk: Buffer) => {
        if (!output.add(stream, chunk)) stop('flooded');
      });
    }
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      clearTimeout(timer);
      resolve({ kind: 'unreachable', because: messageOf(error) });
    });
    child.once('exit', () => {
      clearTimeout(timer);
      // Whoever inherited the pipes and left the group would hold them open.
      const grace = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, CLOSE_GRACE_MS);
      child.once('close', () => clearTimeout(grace));
    });
    child.once('close', (code, signal) => {
      if (child.pid === undefined) return;
      const text = output.read();
      if (stopped === 'timed_out') resolve({ kind: 'timed_out', afterMs: options.timeoutMs, ...text });
      else if (stopped === 'flooded') resolve({ kind: 'flooded', limitBytes, ...text });
      else if (code !== null) resolve({ kind: 'exited', code, ...text });
      else resolve({ kind: 'signalled', signal: signal ?? 'an unknown signal', ...text });
    });
  });
}

/** The group is the child's own, because it was started detached. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
