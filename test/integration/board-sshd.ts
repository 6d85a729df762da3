import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../lab/free-port.ts';
import { isListening } from '../lab/listening.ts';
import { descendantsOf, runningProcesses, signal } from '../lab/processes.ts';
import { waitUntil } from '../lab/waiting.ts';

/** The sshd of a board, on a free port of loopback, with host keys of its own. */
export class BoardSshd {
  readonly port: number;
  readonly #directory: string;
  readonly #settings: Record<string, string>;
  #process: ChildProcess | undefined;

  private constructor(port: number, settings: Record<string, string>) {
    this.port = port;
    this.#settings = settings;
    this.#directory = mkdtempSync(join(tmpdir(), 'bramble-board-sshd-'));
    // The account reads its authorized_keys in there.
    chmodSync(this.#directory, 0o755);
    this.replaceHostKey();
  }

  /** @param settings of sshd_config, besides and instead of those below */
  static async start(settings: Record<string, string> = {}): Promise<BoardSshd> {
    const sshd = new BoardSshd(await freePort(), settings);
    await sshd.start();
    return sshd;
  }

  get hostKeySha256(): string {
    const { stdout } = spawnSync('/usr/bin/ssh-keygen', ['-lf', `${this.#hostKey}.pub`], {
      encoding: 'utf8',
    });
    return stdout.split(' ')[1] ?? '';
  }

  get log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  async start(): Promise<void> {
    const settings = {
      ListenAddress: '127.0.0.1',
      Port: String(this.port),
      HostKey: this.#hostKey,
      AuthorizedKeysFile: this.#authorizedKeys,
      PidFile: 'none',
      PasswordAuthentication: 'yes',
      KbdInteractiveAuthentication: 'no',
      UsePAM: 'yes',
      StrictModes: 'no',
      UseDNS: 'no',
      PrintMotd: 'no',
      // Not root's own: bash reads ~/.bashrc for commands over SSH, and what stands there may take its time.
      SetEnv: `HOME=${this.#directory}`,
      // Shows each request to sign in.
      LogLevel: 'DEBUG1',
      ...this.#settings,
    };
    const configuration = join(this.#directory, 'sshd_config');
    writeFileSync(
      configuration,
      Object.entries(settings)
        .map((entry) => `${entry.join(' ')}\n`)
        .join(''),
    );
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const log = openSync(this.#log, 'a');
    this.#process = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', configuration], {
      stdio: ['ignore', log, log],
      cwd: '/',
    });
    closeSync(log);
    await waitUntil('sshd to listen', () => isListening({ host: '127.0.0.1', port: this.port }), {
      onTimeout: () => this.log,
    });
  }

  /** As a board that loses its power: no connection is closed in an orderly way. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    const sessions = descendantsOf([{ pid: child.pid }], runningProcesses());
    for (const { pid } of [{ pid: child.pid }, ...sessions]) signal(pid, 'SIGKILL');
    await exited;
  }

  /** As after a new installation. It counts from the next start on. */
  replaceHostKey(): void {
    rmSync(this.#hostKey, { force: true });
    const keygen = spawnSync('/usr/bin/ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', this.#hostKey]);
    if (keygen.status !== 0) throw new Error(`ssh-keygen failed: ${String(keygen.stderr)}`);
  }

  authorize(publicKeyLine: string): void {
    writeFileSync(this.#authorizedKeys, `${publicKeyLine}\n`);
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #hostKey(): string {
    return join(this.#directory, 'host_key');
  }

  get #authorizedKeys(): string {
    return join(this.#directory, 'authorized_keys');
  }

  get #log(): string {
    return join(this.#directory, 'log');
  }
}
