import type { JobEvent, JobResource, JobState, Reason, RunFileList } from '../api-types.ts';
import { BrambleError } from '../errors/bramble-error.ts';
import { RemoteFile } from '../files/remote-file.ts';
import type { CallOptions } from '../http/api-request.ts';
import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import type { Platform } from '../platform.ts';
import { type EventOptions, jobEvents } from './job-events.ts';
import { logLines, logText } from './job-logs.ts';
import { JobOutputs } from './job-outputs.ts';
import type { LogLine, LogOptions, LogTextOptions } from './log-line.ts';
import { runFilePath } from './run-file-path.ts';
import { waitForJob, type WaitOptions } from './wait-for-job.ts';

export interface FileListOptions extends CallOptions {
  /** The directory to list, relative to the run directory. Default: the run directory itself. */
  path?: string | undefined;
  /** All directories below it too. Default: false. */
  recursive?: boolean | undefined;
}

/** A job. What it says of itself is what was last heard: `refresh`, `wait` and `cancel` bring it up to date. */
export class Job {
  /** What has been produced, once the job has ended. */
  readonly outputs: JobOutputs;
  readonly #transport: Transport;
  #data: JobResource;

  constructor(transport: Transport, platform: Platform, data: JobResource) {
    this.#transport = transport;
    this.#data = data;
    this.outputs = new JobOutputs(transport, platform, data.id);
  }

  /** The resource as the API answered it. */
  get data(): JobResource {
    return this.#data;
  }

  get id(): string {
    return this.#data.id;
  }

  get name(): string {
    return this.#data.name;
  }

  get state(): JobState {
    return this.#data.state;
  }

  /** Whether the state is final. */
  get finished(): boolean {
    return this.#data.finished;
  }

  /** Why the job waits, or why it ended as it did. */
  get reason(): Reason | null {
    return this.#data.reason;
  }

  /** Exit code of the program; null before the end, or where a signal ended it. */
  get exitCode(): number | null {
    return this.#data.exitCode;
  }

  /** Number of the signal that ended the program. */
  get signal(): number | null {
    return this.#data.signal;
  }

  /** The last lines of a job that did not complete. */
  get lastLines(): string | null {
    return this.#data.lastLines;
  }

  get labels(): Record<string, string> {
    return this.#data.labels;
  }

  /** Where Slurm has it; null before Slurm has. */
  get slurm(): JobResource['slurm'] {
    return this.#data.slurm;
  }

  get createdAt(): Date {
    return new Date(this.#data.createdAt);
  }

  get startedAt(): Date | null {
    return dateOf(this.#data.startedAt);
  }

  get endedAt(): Date | null {
    return dateOf(this.#data.endedAt);
  }

  /** Reads the job anew. */
  async refresh({ signal }: CallOptions = {}): Promise<this> {
    this.#data = await this.#transport.json({ method: 'GET', path: this.#path(), repeatable: true, signal });
    return this;
  }

  /**
   * Waits until the job has completed, or, with `until: 'running'`, until it has got its nodes.
   * @throws JobFailedError where it has ended in any other way than `completed`
   * @throws TimeoutError where `timeoutMs` is over; the job goes on, and is as it was last seen
   */
  async wait(options: WaitOptions = {}): Promise<this> {
    if (!this.finished)
      await waitForJob(this.#transport, this.id, options, (seen) => {
        this.#data = seen;
      });
    if (this.finished && this.state !== 'completed') throw new JobFailedError(this);
    return this;
  }

  /**
   * The lines of its log, as they come with `follow: true`. A connection that breaks is taken up again where it was.
   * @throws ConnectionError where that fails many times in a row (`maxReconnects`)
   */
  logs(options: LogOptions = {}): AsyncGenerator<LogLine, void, undefined> {
    return logLines(this.#transport, this.id, options);
  }

  /** What its log holds now, in one text. */
  logText(options: LogTextOptions = {}): Promise<string> {
    return logText(this.#transport, this.id, options);
  }

  /** What has happened to it, and what happens until its end. Reconnects like `logs`. */
  events(options: EventOptions = {}): AsyncGenerator<JobEvent, void, undefined> {
    return jobEvents(this.#transport, this.id, options);
  }

  /**
   * Asks for its end; `wait` tells when it has come. Asking twice is asking once.
   * @throws ConflictError where it has ended already
   */
  async cancel({ signal }: CallOptions = {}): Promise<this> {
    this.#data = await this.#transport.json({
      method: 'POST',
      path: this.#path('cancel'),
      repeatable: true,
      signal,
    });
    return this;
  }

  /** What is handed to sbatch, to the letter. */
  async script({ signal }: CallOptions = {}): Promise<string> {
    const content = new RemoteFile(this.#transport, { path: this.#path('script') });
    return content.text({ signal });
  }

  /** The files of its run directory. */
  files({ path, recursive, signal }: FileListOptions = {}): Promise<RunFileList> {
    return this.#transport.json({
      method: 'GET',
      path: this.#path('files'),
      query: { path, recursive },
      repeatable: true,
      signal,
    });
  }

  /**
   * A file of its run directory, to be read in memory or as a stream.
   * @throws UnsafePathError where it is no plain relative path
   */
  file(path: string): RemoteFile {
    const sha256 = this.#data.outputs?.find((output) => output.path === path)?.sha256;
    return new RemoteFile(this.#transport, { path: runFilePath(this.id, path), sha256 });
  }

  toJSON(): JobResource {
    return this.#data;
  }

  #path(...parts: readonly string[]): string {
    return requestPath('v1', 'jobs', this.id, ...parts);
  }
}

/** A job has ended, and not by completing: it failed, was cancelled, ran out of time or memory, or lost a node. */
export class JobFailedError extends BrambleError {
  override readonly name = 'JobFailedError';
  readonly job: Job;
  readonly state: JobState;
  readonly reason: Reason | null;
  /** Exit code of the program; null where a signal ended it, or where it never ran. */
  readonly exitCode: number | null;
  /** Number of the signal that ended the program. */
  readonly signal: number | null;
  /** The last lines that the program wrote; empty where it wrote none. */
  readonly lastLines: string;

  constructor(job: Job) {
    const { state, reason, exitCode, signal, lastLines } = job;
    super('job_failed', describe(job));
    this.job = job;
    this.state = state;
    this.reason = reason;
    this.exitCode = exitCode;
    this.signal = signal;
    this.lastLines = lastLines ?? '';
  }
}

function describe({ id, name, state, reason, exitCode, signal, lastLines }: Job): string {
  const end = signal === null ? (exitCode === null ? '' : `, exit code ${exitCode}`) : `, signal ${signal}`;
  const why = reason === null ? '' : `: ${reason.message}`;
  const last = lastLines === null || lastLines === '' ? '' : `\n${lastLines}`;
  return `Job ${id} (${name}) is ${state.replaceAll('_', ' ')}${end}${why}${last}`;
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text));
