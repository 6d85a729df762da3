import { connect, type Socket } from 'node:net';
import { Client, type ClientChannel } from 'ssh2';
import { fingerprintOf, keyTypeOf } from './host-key.ts';
import { SignIn, SignInRefused, type SignInSecret } from './sign-in.ts';

export interface LinkTarget {
  host: string;
  port: number;
  user: string;
  secret: SignInSecret;
  /**
   * Fingerprint of the only host key that is accepted, as `ssh-keygen -l` shows it. Null takes whichever the host shows,
   * and sends the secret there.
   */
  hostKeySha256: string | null;
}

export interface LinkOptions {
  connectTimeoutMs: number;
  keepaliveIntervalMs: number;
  /** Gives up to connect; it has no effect on a connection that was made. */
  signal?: AbortSignal;
}

/** Unanswered keepalives after which the connection counts as broken. */
const KEEPALIVES_MISSED = 3;

const GIVEN_UP = 'the attempt to connect was given up';

/** How long an orderly end may take. A host that is gone would hold the socket for many minutes. */
const END_WITHIN_MS = 2_000;

/** The host showed another key than the pinned one: somebody else's machine, or one that was installed anew. */
export class HostKeyChanged extends Error {
  readonly shownSha256: string;

  constructor({ host, port }: LinkTarget, pinnedSha256: string, key: Buffer) {
    const shownSha256 = fingerprintOf(key);
    super(
      `${host}:${port} showed the host key ${shownSha256} (${keyTypeOf(key)}), ` +
        `but ${pinnedSha256} is pinned; nothing is sent there until the right key is configured`,
    );
    this.name = 'HostKeyChanged';
    this.shownSha256 = shownSha256;
  }
}

/** One SSH connection, from its handshake to its end. */
export class SshLink {
  /** Fingerprint of the host key that the host has shown. */
  readonly hostKeySha256: string;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #onLost = new Set<(because: string) => void>();
  #lostBecause: string | undefined;

  private constructor(client: Client, socket: Socket, hostKeySha256: string) {
    this.#client = client;
    this.#socket = socket;
    this.hostKeySha256 = hostKeySha256;
    let because = 'the connection was closed';
    client.on('error', (error) => {
      because = error.message;
      // Ahead of the orderly close that ssh2 would make of it, after a missed keepalive for example: see break.
      reset(socket);
    });
    client.on('close', () => this.#lose(because));
  }

  /** @throws HostKeyChanged, SignInRefused, or Error with the reason; none of them says anything of the secret */
  static async open(target: LinkTarget, options: LinkOptions): Promise<SshLink> {
    const signIn = new SignIn(target.user, target.secret);
    if (options.signal?.aborted === true) throw new Error(GIVEN_UP);
    const client = new Client();
    const socket = connect({ host: target.host, port: target.port, noDelay: true, keepAlive: true });
    // Until ssh2 listens itself.
    socket.on('error', () => {});
    let shownSha256 = '';
    let changed: HostKeyChanged | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no SSH connection within ${options.connectTimeoutMs} ms`)),
          options.connectTimeoutMs,
        );
        const onAbort = () => settle(new Error(GIVEN_UP));
        options.signal?.addEventListener('abort', onAbort);
        const settle = (error?: Error) => {
          clearTimeout(timer);
          options.signal?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve();
          else reject(changed ?? (isRefusal(error) ? new SignInRefused(signIn.refusal) : error));
        };
        client.once('ready', () => settle());
        client.on('error', settle);
        client.once('close', () => settle(new Error('the connection was closed during the handshake')));
        client.once('change password', () =>
          settle(new SignInRefused(`the password of ${target.user} has expired and has to be changed first`)),
        );
        client.connect({
          sock: socket,
          username: target.user,
          authHandler: signIn.next,
          hostVerifier: (key: Buffer) => {
            // A host that shows one key first and another when the keys of the line are renewed is refused, too.
            const pinnedSha256 = target.hostKeySha256 ?? (shownSha256 === '' ? null : shownSha256);
            shownSha256 = fingerprintOf(key);
            if (pinnedSha256 === null || shownSha256 === pinnedSha256) return true;
            changed = new HostKeyChanged(target, pinnedSha256, key);
            return false;
          },
          readyTimeout: 0,
          keepaliveInterval: options.keepaliveIntervalMs,
          keepaliveCountMax: KEEPALIVES_MISSED,
        });
      });
    } catch (error) {
      client.on('error', () => {});
      reset(socket);
      throw error;
    }
    return new SshLink(client, socket, shownSha256);
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
    reset(this.#socket);
    this.#lose(because);
  }

  end(): void {
    this.#client.end();
    const timer = setTimeout(() => this.#socket.destroy(), END_WITHIN_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #lose(because: string): void {
    if (this.#lostBecause !== undefined) return;
    this.#lostBecause = because;
    for (const callback of this.#onLost) callback(because);
    this.#onLost.clear();
  }
}

/**
 * Breaks a connection, as far as it goes: a reset would wait for one that is still being made, which a host that is
 * switched off keeps waiting for minutes. One that is being shut down cannot be reset (uv_tcp_close_reset); Node then
 * never closes its handle, and a process that is to end goes round in circles instead.
 */
function reset(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** OpenSSH ends the connection by itself where a single attempt is all that it allows. */
const isRefusal = (error: Error & { level?: string }): boolean =>
  error.level === 'client-authentication' || /too many authentication failures/i.test(error.message);
