import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChannelSlots } from './channel-slots.ts';
import { assertFingerprint } from './host-key.ts';
import { type RemoteCommand, type RemoteEnd, runOn } from './remote-command.ts';
import { HostKeyChanged, SshLink } from './ssh-link.ts';

export interface SshConnectionOptions {
  host: string;
  port: number;
  user: string;
  /** A private key in PEM or OpenSSH's format. A file is read at each connect, so that a key may be replaced. */
  privateKey: { text: string } | { file: string };
  passphrase?: string;
  /** Fingerprint of the host's key, as `ssh-keygen -l` shows it. No other key is ever accepted. */
  hostKeySha256: string;
  /** Default 10,000. */
  connectTimeoutMs?: number;
  /** The connection counts as broken after three keepalives without an answer. Default 10,000. */
  keepaliveIntervalMs?: number;
  /** Commands at once; sshd's MaxSessions is 10 where nobody changed it. Default 8. */
  maximumChannels?: number;
  /** Longest wait between attempts to connect; they begin at 250 ms and double. Default 10,000. */
  longestBackoffMs?: number;
}

const FIRST_BACKOFF_MS = 250;

/**
 * Runs commands on another machine over one SSH connection, which is made when it is needed and kept. A host key that
 * is not the pinned one ends all of it: from then on every command is `unreachable`, and nothing is tried again.
 */
export class SshConnection {
  readonly name: string;
  readonly user: string;
  readonly #options: Required<Omit<SshConnectionOptions, 'passphrase'>> &
    Pick<SshConnectionOptions, 'passphrase'>;
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

  /** @param command `startWithinMs`: how long it may wait for the connection and its turn */
  async run(command: RemoteCommand & { startWithinMs: number }): Promise<RemoteEnd> {
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
      const { privateKey, passphrase, ...target } = this.#options;
      const secret = {
        privateKey: await readPrivateKey(privateKey),
        ...(passphrase === undefined ? {} : { passphrase }),
      };
      this.#link = await SshLink.open({ ...target, secret }, this.#options);
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

async function readPrivateKey(privateKey: SshConnectionOptions['privateKey']): Promise<string> {
  if ('text' in privateKey) return privateKey.text;
  try {
    return await readFile(privateKey.file, 'utf8');
  } catch (cause) {
    throw new Error(
      `the private key cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
