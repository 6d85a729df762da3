import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackages, type Log } from '../../../scripts/debian-packages.ts';
import type { Board } from '../../lab/boards/boards-lab.ts';
import type { Cleanup } from '../cleanup.ts';
import { type AnsibleFiles, writeAnsibleFiles } from './ansible-files.ts';
import type { BenchCluster } from './bench-cluster.ts';

const PLAYBOOK = fileURLToPath(new URL('playbook.yml', import.meta.url));
const FORKS = 8;
const LONGEST_PLAY_MS = 5 * 60_000;

/** What a play has told of a board. */
interface Recap {
  ok: number;
  changed: number;
  unreachable: number;
  failed: number;
}

/** Ansible for the boards of a cluster, with a key of its own that boards let in as they do Bramble's. */
export class Ansible {
  readonly #cluster: BenchCluster;
  readonly #files: AnsibleFiles;
  #running: ChildProcess | undefined;

  private constructor(cluster: BenchCluster, files: AnsibleFiles) {
    this.#cluster = cluster;
    this.#files = files;
  }

  static async prepare(cluster: BenchCluster, cleanup: Cleanup, log: Log): Promise<Ansible> {
    await ensureDebianPackages('ansible', log);
    const directory = join(cluster.workDirectory, 'ansible');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const privateKey = join(directory, 'key');
    const keygen = ['-q', '-t', 'ed25519', '-N', '', '-C', 'ansible', '-f', privateKey];
    mustSucceed('ssh-keygen', spawnSync('/usr/bin/ssh-keygen', keygen, { encoding: 'utf8' }));
    const publicKey = readFileSync(`${privateKey}.pub`, 'utf8');
    await Promise.all([...cluster.boards.values()].map((board) => prepareBoard(board, publicKey)));
    const ansible = new Ansible(cluster, await writeAnsibleFiles(cluster, directory, privateKey));
    cleanup.add('Ansible', () => ansible.#end());
    return ansible;
  }

  /** Such as `Ansible 2.14`. */
  static release(): string {
    const { stdout } = spawnSync('/usr/bin/ansible-playbook', ['--version'], { encoding: 'utf8' });
    return `Ansible ${/\[core (\d+\.\d+)/.exec(stdout)?.[1] ?? '?'}`;
  }

  /**
   * Runs the playbook where nothing is to be done. No connection of an earlier run is open when it begins.
   * @throws Error where the playbook finds anything to be changed
   */
  async play({ pipelining }: { pipelining: boolean }): Promise<{ elapsedMs: number; tasks: number }> {
    const startedAt = performance.now();
    const output = await this.#run(pipelining);
    const elapsedMs = performance.now() - startedAt;
    this.#closeConnections();
    const recaps = parseRecap(output);
    const wrong = [...recaps.values()].some(
      ({ changed, failed, unreachable }) => changed + failed + unreachable > 0,
    );
    if (wrong || recaps.size !== this.#cluster.boards.size)
      throw new Error(`the playbook does not describe the boards as they are:\n${output}`);
    return { elapsedMs, tasks: Math.max(...[...recaps.values()].map(({ ok }) => ok)) };
  }

  #run(pipelining: boolean): Promise<string> {
    const { directory, configuration, inventory, privateKey, knownHosts, becomePassword } = this.#files;
    const child = spawn(
      '/usr/bin/ansible-playbook',
      [`--inventory=${inventory}`, `--become-password-file=${becomePassword}`, PLAYBOOK],
      {
        cwd: directory,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          HOME: directory,
          LC_ALL: 'C.UTF-8',
          ANSIBLE_CONFIG: configuration,
          ANSIBLE_FORKS: String(FORKS),
          ANSIBLE_NOCOLOR: '1',
          ANSIBLE_PIPELINING: String(pipelining),
          ANSIBLE_PRIVATE_KEY_FILE: privateKey,
          ANSIBLE_SSH_COMMON_ARGS: `-o UserKnownHostsFile=${knownHosts}`,
          ANSIBLE_SSH_CONTROL_PATH_DIR: this.#controlPaths,
        },
      },
    );
    this.#running = child;
    const timer = setTimeout(() => this.#kill(), LONGEST_PLAY_MS);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    return new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      // The connections that stay open hold the output too: its end is not waited for.
      child.once('exit', () => setImmediate(() => resolve(output)));
    }).finally(() => {
      clearTimeout(timer);
      this.#running = undefined;
    });
  }

  get #controlPaths(): string {
    return join(this.#files.directory, 'cp');
  }

  /** Those that ControlPersist would keep for another minute. */
  #closeConnections(): void {
    for (const socket of existingFiles(this.#controlPaths))
      spawnSync('/usr/bin/ssh', ['-O', 'exit', '-o', `ControlPath=${socket}`, 'board']);
  }

  #end(): void {
    this.#kill();
    this.#closeConnections();
  }

  /** Its workers too, which are of its process group. */
  #kill(): void {
    if (this.#running?.pid !== undefined) process.kill(-this.#running.pid, 'SIGKILL');
  }
}

/** Ansible's apt module needs python3-apt on the board, and would install it in its first run. */
async function prepareBoard(board: Board, publicKey: string): Promise<void> {
  const authorized = await board.run(['sh', '-c', 'cat >> "$HOME/.ssh/authorized_keys"'], {
    user: board.user,
    input: publicKey,
  });
  mustSucceed(`authorized_keys of ${board.name}`, { ...authorized, status: authorized.exitCode });
  const install = ['apt-get', '-q', '-y', '--no-install-recommends', 'install', 'python3-apt'];
  const installed = await board.run(install, { timeoutMs: LONGEST_PLAY_MS });
  mustSucceed(`python3-apt on ${board.name}`, { ...installed, status: installed.exitCode });
}

function mustSucceed(what: string, { status, stderr }: { status: number | null; stderr: string }): void {
  if (status !== 0) throw new Error(`${what}: ${stderr.trim()}`);
}

function existingFiles(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function parseRecap(output: string): Map<string, Recap> {
  const lines = output.matchAll(/^(\S+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+) /gm);
  return new Map(
    [...lines].map(([, board = '', ...numbers]) => {
      const [ok = 0, changed = 0, unreachable = 0, failed = 0] = numbers.map(Number);
      return [board, { ok, changed, unreachable, failed }];
    }),
  );
}
