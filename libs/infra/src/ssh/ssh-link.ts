import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { Client, type ClientChannel } from 'ssh2';
import { fingerprintOf, keyTypeOf } from './host-key.ts';

export interface SshTarget {
  host: string;
  port: number;
  user: string;
  /** A private key in PEM or OpenSSH's format. A file is read at each connect, so that a key may be replaced. */
  privateKey: { text: string } | { file: string };
  passphrase?: string;
  /** Fingerprint of the host's key, as `ssh-keygen -l` shows it. No other key is ever accepted. */
  hostKeySha256: string;
}

export interface LinkTimes {
  connectTimeoutMs: number;
  keepaliveIntervalMs: number;
}

/** Unanswered keepalives after which the connection counts as broken. */
const KEEPALIVES_MISSED = 3;

/** The host showed another key than the pinned one: somebody else's machine, or one that was installed anew. */
export class HostKeyChanged extends Error {
  constructor(target: SshTarget, key: Buffer) {
    super(
      `${target.host}:${target.port} showed the host key ${fingerprintOf(key)} (${keyTypeOf(key)}), ` +
        `but ${target.hostKeySha256} is pinned; nothing is sent there until the right key is configured`,
    );
    this.name = 'HostKeyChanged';
  }
}

/** One SSH connection, from its handshake to its end. */
export class SshLink {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #onLost = new Set<(because: string) => void>();
  #lostBecause: string | undefined;

  private constructor(client: Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    let because = 'the connection was closed';
    client.on('error', (error) => {
      because = error.message;
      // Ahead of the orderly close that ssh2 would make of it, after a missed keepalive for example: see break.
      socket.resetAndDestroy();
    });
    client.on('close', () => this.#lose(because));
  }

  /** @throws HostKeyChanged, or Error with the reason; neither says anything of the private key */
  static async open(target: SshTarget, times: LinkTimes): Promise<SshLink> {
    const privateKey = await readPrivateKey(target);
    const client = new Client();
    const socket = connect({ host: target.host, port: target.port, noDelay: true, keepAlive: true });
    // Until ssh2 listens itself.
    socket.on('error', () => {});
    let changed: HostKeyChanged | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no SSH connection within ${times.connectTimeoutMs} ms`)),
          times.connectTimeoutMs,
        );
        const settle = (error?: Error) => {
          clearTimeout(timer);
          if (error === undefined) resolve();
          else reject(changed ?? error);
        };
        client.once('ready', () => settle());
        client.on('error', settle);
        client.once('close', () => settle(new Error('the connection was closed during the handshake')));
        client.connect({
          sock: socket,
          username: target.user,
          privateKey,
          ...(target.passphrase === undefined ? {} : { passphrase: target.passphrase }),
          hostVerifier: (key: Buffer) => {
            if (fingerprintOf(key) === target.hostKeySha256) return true;
            changed = new HostKeyChanged(target, key);
            return false;
          },
          readyTimeout: 0,
          keepaliveInterval: times.keepaliveIntervalMs,
          keepaliveCountMax: KEEPALIVES_MISSED,
        });
      });
    } catch (error) {
      client.on('error', () => {});
      socket.resetAndDestroy();
      throw error;
    }
    return new SshLink(client, socket);
  }

  /** Why the connection is gone; undefined while it is there. */
  get lostBecause(): string | undefined {
    return this.#lostBecause;
  }

  /** @returns what ends the watch */
  whenLost(callback: (because: string) => void): () => void {
    this.#onLost.add(callback);
    return () => this.#onLost.delete(callback);
  }

  exec(commandLine: string, callback: (error: Error | undefined, channel: ClientChannel) => void): void {
    this.#client.exec(commandLine, callback);
  }

  /**
   * Breaks the connection with a TCP reset. The kernel then forgets what was written and not yet sent; after an orderly
   * close it would go on sending for minutes, and a command could begin long after it was given up.
   */
  break(because: string): void {
    this.#socket.resetAndDestroy();
    this.#lose(because);
  }

  end(): void {
    this.#client.end();
  }

  #lose(because: string): void {
    if (this.#lostBecause !== undefined) return;
    this.#lostBecause = because;
    for (const callback of this.#onLost) callback(because);
    this.#onLost.clear();
  }
}

async function readPrivateKey(target: SshTarget): Promise<string> {
  if ('text' in target.privateKey) return target.privateKey.text;
  try {
    return await readFile(target.privateKey.file, 'utf8');
  } catch (cause) {
    throw new Error(
      `the private key cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
