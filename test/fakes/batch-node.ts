import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { renderBatchScript } from '#core/jobs/batch-script';
import { CONTROL_DIRECTORY, type JobRequestBody } from '#core/jobs/job-request';
import {
  type ExitRecord,
  exitRecordSchema,
  type StartRecord,
  startRecordSchema,
} from '#core/jobs/run-directory';
import { idOf } from './counting-ids.ts';
import { jobRequest } from './job-requests.ts';

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
}

export interface BatchRun {
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** Root may do everything, so that nothing would ever be refused: the scripts of a test by root run as nobody. */
const NOBODY = process.getuid?.() === 0 ? 65_534 : undefined;

/** A node of a cluster with one run directory, on which batch scripts run as slurmd would run them. */
export class BatchNode {
  /** For programs that stand in for those of a real node: first in the PATH of batch scripts. */
  readonly bin: string;
  readonly runDirectory: string;
  readonly control: string;
  readonly #root: string;
  readonly #groups = new Set<number>();
  #scripts = 0;

  constructor() {
    this.#root = mkdtempSync(join(tmpdir(), 'bramble-batch-'));
    chmodSync(this.#root, 0o755);
    this.bin = this.#directory('bin');
    this.runDirectory = this.#directory('run');
    this.control = this.#directory(`run/${CONTROL_DIRECTORY}`);
  }

  /** Ends what is still running, and removes everything. */
  remove(): void {
    this.#groups.forEach(killGroup);
    rmSync(this.#root, { recursive: true, force: true });
  }

  #directory(path: string): string {
    const directory = join(this.#root, path);
    mkdirSync(directory);
    if (NOBODY !== undefined) chownSync(directory, NOBODY, NOBODY);
    return directory;
  }

  /** Puts an executable into `bin`. */
  install(name: string, text: string): void {
    writeFileSync(join(this.bin, name), text, { mode: 0o755 });
  }

  /** The batch script of a request, on the disk. */
  render(body: JobRequestBody): string {
    this.#scripts += 1;
    const path = join(this.#root, `slurm_script.${this.#scripts}`);
    const { runDirectory } = this;
    writeFileSync(
      path,
      renderBatchScript({ jobId: idOf('job', 1), name: 'test', request: jobRequest(body), runDirectory }),
    );
    return path;
  }

  /**
   * @param options.restarts how often Slurm has requeued the job
   * @param options.before shell commands that are run first, in the same process
   */
  start(script: string, { slurmJobId = 7, restarts = 0, before = '' } = {}): BatchRun {
    const logs = (['stdout', 'stderr'] as const).map((name) =>
      openSync(join(this.#root, `${name}.log`), 'a'),
    );
    const child = spawn(
      '/bin/bash',
      before === '' ? [script] : ['-c', `${before}\nexec /bin/bash "$0"`, script],
      {
        cwd: this.runDirectory,
        env: {
          PATH: `${this.bin}:/usr/local/bin:/usr/bin:/bin`,
          SLURM_JOB_ID: String(slurmJobId),
          // Slurm sets it only for a job that was requeued.
          ...(restarts === 0 ? {} : { SLURM_RESTART_COUNT: String(restarts) }),
        },
        stdio: ['ignore', ...logs],
        detached: true,
        ...(NOBODY === undefined ? {} : { uid: NOBODY, gid: NOBODY }),
      },
    );
    logs.forEach(closeSync);
    if (child.pid === undefined) throw new Error('bash could not be started');
    const group = child.pid;
    this.#groups.add(group);
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (status, signal) => resolve({ status, signal }));
    });
    return { child, ended };
  }

  /** Ends a batch script and all that it has started, at once. */
  kill({ pid }: ChildProcess): void {
    if (pid !== undefined) killGroup(pid);
  }

  run(
    body: JobRequestBody,
    options: { slurmJobId?: number; restarts?: number; before?: string } = {},
  ): Promise<Ended> {
    return this.start(this.render(body), options).ended;
  }

  /** What was written to a log so far. */
  log(stream: 'stdout' | 'stderr'): string {
    return readFileSync(join(this.#root, `${stream}.log`), 'utf8');
  }

  has(path: string): boolean {
    return existsSync(join(this.runDirectory, path));
  }

  read(path: string): string {
    return readFileSync(join(this.runDirectory, path), 'utf8');
  }

  /** The Slurm job that holds the claim; undefined where there is none. */
  claim(): number | undefined {
    if (!existsSync(join(this.control, 'claim'))) return undefined;
    const text = readFileSync(join(this.control, 'claim/slurm_job_id'), 'utf8');
    if (!/^\d+\n$/.test(text)) throw new Error(`half a claim: ${JSON.stringify(text)}`);
    return Number(text);
  }

  startRecord(): StartRecord | undefined {
    return this.#record('start', (value) => startRecordSchema.parse(value));
  }

  exitRecord(): ExitRecord | undefined {
    return this.#record('exit', (value) => exitRecordSchema.parse(value));
  }

  #record<T>(name: string, parse: (value: unknown) => T): T | undefined {
    const path = join(this.control, name);
    return existsSync(path) ? parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
  }
}

/** Waits for what a batch script does. @throws Error where it does not come to pass */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come to pass');
    await setTimeout(1);
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
