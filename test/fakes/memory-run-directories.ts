import { type Answer, absent, present, unknown } from '#core/vocabulary/answer';
import type { Job, OutputFile } from '#core/jobs/job';
import type {
  ExitRecord,
  LogStream,
  RunDirectories,
  StagedFile,
  StartRecord,
} from '#core/jobs/run-directory';
import type { UnixAccount } from '#core/jobs/slurm-controller';

/** What one run directory holds. */
export interface MemoryRun {
  files: readonly StagedFile[];
  account: UnixAccount;
  claim?: number;
  start?: StartRecord;
  exit?: ExitRecord;
  outputs: OutputFile[];
  logs: Record<LogStream, string>;
}

/** Run directories in memory. While `away` nothing can be asked and nothing be done. */
export class MemoryRunDirectories implements RunDirectories {
  away = false;
  /** Thrown by the next `stage`. */
  refusal: Error | undefined;
  readonly #runs = new Map<string, MemoryRun>();

  clusterPath(jobId: string): string {
    return `/shared/runs/${jobId}`;
  }

  /** The run directory as the programs on the nodes see it. @throws Error where it is not there */
  run(jobId: string): MemoryRun {
    const run = this.#runs.get(jobId);
    if (run === undefined) throw new Error(`${jobId} has no run directory`);
    return run;
  }

  isStaged(jobId: string): boolean {
    return this.#runs.has(jobId);
  }

  async stage(jobId: string, files: readonly StagedFile[], account: UnixAccount): Promise<void> {
    this.#reach();
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
    if (this.#runs.has(jobId)) return;
    this.#runs.set(jobId, { files, account, outputs: [], logs: { stdout: '', stderr: '' } });
  }

  async readClaim(jobId: string): Promise<Answer<number>> {
    return this.#read(jobId, ({ claim }) => claim);
  }

  async readStart(jobId: string): Promise<Answer<StartRecord>> {
    return this.#read(jobId, ({ start }) => start);
  }

  async readExit(jobId: string): Promise<Answer<ExitRecord>> {
    return this.#read(jobId, ({ exit }) => exit);
  }

  async collectOutputs(job: Job): Promise<{ files: OutputFile[]; truncated: boolean }> {
    this.#reach();
    return { files: this.#runs.get(job.id)?.outputs ?? [], truncated: false };
  }

  async readLogTail(jobId: string, stream: LogStream, maximumBytes: number): Promise<string> {
    this.#reach();
    return (this.#runs.get(jobId)?.logs[stream] ?? '').slice(-maximumBytes);
  }

  #read<T>(jobId: string, field: (run: MemoryRun) => T | undefined): Answer<T> {
    const run = this.#runs.get(jobId);
    if (this.away || run === undefined) return unknown('the storage is away');
    const value = field(run);
    return value === undefined ? absent : present(structuredClone(value));
  }

  #reach(): void {
    if (this.away) throw new Error('the storage is away');
  }
}
