import type { ArtifactContents } from '#core/artifacts/artifact';
import type { Job } from '#core/jobs/job';
import type {
  ExitRecord,
  LogStream,
  RunDirectories,
  StagedFile,
  StartRecord,
} from '#core/jobs/run-directory';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import type { Answer } from '#core/vocabulary/answer';
import { ControlRecords } from './control-records.ts';
import { isMissing } from './file-system-error.ts';
import { RunLogs } from './run-logs.ts';
import { collectRunOutputs, type RunOutputs } from './run-outputs.ts';
import { RunStaging } from './run-staging.ts';
import type { StorageLayout } from './storage-layout.ts';

/** Run directories on the shared storage as a worker uses them. */
export class StoredRunDirectories implements RunDirectories {
  readonly #layout: StorageLayout;
  readonly #staging: RunStaging;
  readonly #records: ControlRecords;
  readonly #logs: RunLogs;

  constructor(layout: StorageLayout, contents: ArtifactContents) {
    this.#layout = layout;
    this.#staging = new RunStaging(layout, contents);
    this.#records = new ControlRecords(layout);
    this.#logs = new RunLogs(layout);
  }

  clusterPath(jobId: string): string {
    return this.#layout.clusterRunDirectory(jobId);
  }

  stage(jobId: string, files: readonly StagedFile[], account: UnixAccount): Promise<void> {
    return this.#staging.stage(jobId, files, account);
  }

  readClaim(jobId: string): Promise<Answer<number>> {
    return this.#records.claim(jobId);
  }

  readStart(jobId: string): Promise<Answer<StartRecord>> {
    return this.#records.start(jobId);
  }

  readExit(jobId: string): Promise<Answer<ExitRecord>> {
    return this.#records.exit(jobId);
  }

  async collectOutputs({ id, request }: Job): Promise<RunOutputs> {
    try {
      return await collectRunOutputs(this.#layout.runDirectory(id), request.outputs);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Its account has removed it: only where the storage itself is there.
      await this.#layout.requireRuns();
      return { files: [], truncated: true };
    }
  }

  readLogTail(jobId: string, stream: LogStream, maximumBytes: number): Promise<string> {
    return this.#logs.tail(jobId, stream, maximumBytes);
  }
}
