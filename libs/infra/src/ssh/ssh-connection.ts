import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import { ChannelSlots } from './channel-slots.ts';
import { assertFingerprint } from './host-key.ts';
import { HostKeyChanged, SshLink, type SshTarget } from './ssh-link.ts';

export interface SshConnectionOptions extends SshTarget {
  /** Default 10,000. */
  connectTimeoutMs?: number;
  /** The connection counts as broken after three keepalives without an answer. Default 10,000. */
  keepaliveIntervalMs?: number;
  /** Commands at once; sshd's MaxSessions is 10 where nobody changed it. Default 8. */
  maximumChannels?: number;
  /** Longest wait between attempts to connect; they begin at 250 ms and double. Default 10,000. */
  longestBackoffMs?: number;
}

export interface RemoteCommand {
  /** One command line for the user's login shell, which must be a POSIX shell. */
  commandLine: string;
  input?: string;
  /** How long the command may wait for the connection and its turn. */
  startWithinMs: number;
  /**
   * Counted from the start. A command that is given up may live on where it runs, unless its line sees to its end: no
   * signal can be sent to a channel whose input has ended.
   */
  timeoutMs: number;
  onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  /** Gives the command up. */
  stop?: AbortSignal;
}

export type RemoteEnd =
  | { kind: 'exited'; code: number }
  | { kind: 'signalled'; signal: string }
  | { kind: 'timed_out' }
  | { kind: 'stopped' }
  /** The connection broke, or fell silent, after the command was sent: it may have run. */
  | { kind: 'lost'; because: string }
  /** The command was never sent, or the server has refused it. */
  | { kind: 'unreachable'; because: string };

const FIRST_BACKOFF_MS = 250;

/**
 * Runs commands on another machine over one SSH connection, which is made when it is needed and kept. A host key that
 * is not the pinned one ends all of it: from then on every command is `unreachable`, and nothing is tried again.
 */
export class SshConnection {
  readonly name: string;
  readonly user: string;
  readonly #options: Required<Omit<SshConnectionOptions, keyof SshTarget>> & SshTarget;
  readonly #slots: ChannelSlots;
  #link: SshLink | undefined;
  #opening: Promise<SshLink> | undefined;
  #failures = 0;
  #lastFailure = '';
  #notBefore = 0;
  #stoppedBecause: string | undefined;

  /** @throws TypeError where the fingerprint is none */
  constructor(options: SshConnectionOptions) {
    assertFingerprint(options.hostKeySha256);
    this.user = options.user;
    this.name = `${options.user}@${options.host}:${options.port}`;
    this.#options = {
      connectTimeoutMs: 10_000,
      keepaliveIntervalMs: 10_000,
      maximumChannels: 8,
      longestBackoffMs: 10_000,
      ...options,
    };
    this.#slots = new ChannelSlots(this.#options.maximumChannels);
  }

  async run(command: RemoteCommand): Promise<RemoteEnd> {
    const startBy = performance.now() + command.startWithinMs;
    const giveBack = await this.#slots.take(command.startWithinMs);
    if (giveBack === undefined) {
      return this.#unreachable(
        `all ${this.#options.maximumChannels} channels were busy for ${command.startWithinMs} ms`,
      );
    }
    try {
      const link = await this.#connected(startBy);
      return typeof link === 'string' ? this.#unreachable(link) : await runOn(link, command, startBy);
    } finally {
      giveBack();
    }
  }

  /** Ends the connection. Commands that run are lost, and later ones are `unreachable`. */
  close(): void {
    this.#stoppedBecause ??= 'the connection was closed by Bramble itself';
    this.#link?.end();
  }

  #unreachable(because: string): RemoteEnd {
    return { kind: 'unreachable', because: `${this.name}: ${because}` };
  }

  /** @returns why there is no connection, where there is none in time */
  async #connected(by: number): Promise<SshLink | string> {
    for (;;) {
      if (this.#stoppedBecause !== undefined) return this.#stoppedBecause;
      if (this.#link !== undefined && this.#link.lostBecause === undefined) return this.#link;
      const now = performance.now();
      if (this.#opening === undefined && now < this.#notBefore) {
        if (this.#notBefore > by) return `${this.#lastFailure} (tried ${this.#failures} times)`;
        await sleep(this.#notBefore - now);
        continue;
      }
      this.#opening ??= this.#open();
      const waiting = new AbortController();
      try {
        return await Promise.race([
          this.#opening,
          sleep(Math.max(0, by - now), 'there was no connection in time', { signal: waiting.signal }),
        ]);
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      } finally {
        waiting.abort();
      }
    }
  }

  async #open(): Promise<SshLink> {
    try {
      this.#link = await SshLink.open(this.#options, this.#options);
      this.#failures = 0;
      this.#notBefore = 0;
      return this.#link;
    } catch (error) {
      this.#lastFailure = error instanceof Error ? error.message : String(error);
      if (error instanceof HostKeyChanged) this.#stoppedBecause = error.message;
      const backoffMs = Math.min(
        FIRST_BACKOFF_MS * 2 ** Math.min(this.#failures, 16),
        this.#options.longestBackoffMs,
      );
      this.#failures += 1;
      this.#notBefore = performance.now() + backoffMs;
      throw error;
    } finally {
      this.#opening = undefined;
      if (this.#stoppedBecause !== undefined) this.#link?.end();
    }
  }
}

function runOn(link: SshLink, command: RemoteCommand, startBy: number): Promise<RemoteEnd> {
  const { lostBecause } = link;
  if (lostBecause !== undefined) return Promise.resolve({ kind: 'unreachable', because: lostBecause });
  return new Promise((resolve) => {
    let channel: ClientChannel | undefined;
    let lifeTimer: NodeJS.Timeout | undefined;
    const startTimer = setTimeout(
      () => link.break('the host did not confirm the start of a command in time'),
      Math.max(0, startBy - performance.now()),
    );
    const stopWatching = link.whenLost((because) => settle({ kind: 'lost', because }));
    const onStop = () => giveUp({ kind: 'stopped' });
    command.stop?.addEventListener('abort', onStop);

    function settle(end: RemoteEnd): void {
      clearTimeout(startTimer);
      clearTimeout(lifeTimer);
      stopWatching();
      command.stop?.removeEventListener('abort', onStop);
      resolve(end);
    }
    function giveUp(end: RemoteEnd): void {
      channel?.close();
      settle(end);
    }

    try {
      link.exec(command.commandLine, (error, opened) => {
        if (error !== undefined) {
          settle({ kind: wasRefused(error) ? 'unreachable' : 'lost', because: error.message });
          return;
        }
        clearTimeout(startTimer);
        channel = opened;
        lifeTimer = setTimeout(() => giveUp({ kind: 'timed_out' }), command.timeoutMs);
        let end: RemoteEnd = { kind: 'lost', because: 'the channel was closed without an exit status' };
        opened.on('data', (chunk: Buffer) => command.onOutput('stdout', chunk));
        opened.stderr.on('data', (chunk: Buffer) => command.onOutput('stderr', chunk));
        opened.on('error', () => {});
        opened.stderr.on('error', () => {});
        opened.on('exit', (code: number | null, signal?: string) => {
          end =
            code === null
              ? { kind: 'signalled', signal: signal ?? 'an unknown signal' }
              : { kind: 'exited', code };
        });
        opened.on('close', () => settle(end));
        opened.end(command.input ?? '');
      });
    } catch (error) {
      // ssh2 throws where the connection is gone before it could write anything.
      settle({ kind: 'unreachable', because: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** The server refused to open the channel, or to run the command in it. */
const wasRefused = (error: Error): boolean => 'reason' in error || error.message === 'Unable to exec';
