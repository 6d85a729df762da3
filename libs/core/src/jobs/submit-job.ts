import { type Caller, maySee } from '../access/caller.ts';
import type { AccessStore } from '../access/access-store.ts';
import type { ArtifactStore } from '../artifacts/artifact.ts';
import type { Clock, IdGenerator } from '../vocabulary/clock.ts';
import { type FieldFault, Problem } from '../vocabulary/problem.ts';
import { renderBatchScript } from './batch-script.ts';
import type { Job } from './job.ts';
import type { JobRequest } from './job-request.ts';
import type { JobQueue, JobStore } from './job-store.ts';

export interface SubmitJobPorts {
  jobs: JobStore;
  artifacts: ArtifactStore;
  access: AccessStore;
  queue: JobQueue;
  ids: IdGenerator;
  clock: Clock;
  clusterPath: (jobId: string) => string;
}

/** Records a job and nudges the queue. Slurm is a worker's business. */
export class SubmitJob {
  readonly #ports: SubmitJobPorts;

  constructor(ports: SubmitJobPorts) {
    this.#ports = ports;
  }

  /**
   * @param idempotencyKey the same key and request give the same job, for ever
   * @throws Problem `account_missing`, `account_refused`, `invalid_request`, `idempotency_key_reused`
   */
  async run(
    caller: Caller,
    request: JobRequest,
    idempotencyKey: string | null,
  ): Promise<{ job: Job; created: boolean }> {
    const { jobs, ids, clock, queue, clusterPath } = this.#ports;
    // Before anything is checked: what held when the job was made need not hold any more.
    const older =
      idempotencyKey === null ? undefined : await jobs.findByIdempotencyKey(caller.userId, idempotencyKey);
    if (older !== undefined) return { job: this.#replayed(older, request), created: false };
    const account = await this.#account(caller);
    await this.#checkArtifacts(caller, request);
    const id = ids.next('job');
    const name = request.name ?? defaultName(request);
    const { job, inserted } = await jobs.insert({
      id,
      ownerId: caller.userId,
      account,
      name,
      request,
      script: renderBatchScript({ jobId: id, name, request, runDirectory: clusterPath(id) }),
      createdAt: clock.now(),
      idempotencyKey,
    });
    if (!inserted) return { job: this.#replayed(job, request), created: false };
    // The row's lookAt brings the job to a worker even where this is lost.
    await queue.add('submit', job.id).catch(() => {});
    return { job, created: true };
  }

  #replayed(job: Job, request: JobRequest): Job {
    if (sameRequest(job.request, request)) return job;
    throw new Problem(
      'idempotency_key_reused',
      `This Idempotency-Key was used for job "${job.id}" with another request; use a new key for a new job.`,
    );
  }

  async #account(caller: Caller): Promise<string> {
    const user = await this.#ports.access.findUser(caller.userId);
    if (user === undefined || user.account === null) {
      throw new Problem(
        'account_missing',
        `User "${caller.userName}" has no Unix account to run jobs as; an admin can give one.`,
      );
    }
    if (user.accountStatus === 'absent' || user.accountStatus === 'refused') {
      throw new Problem(
        'account_refused',
        user.accountMessage ?? `The Unix account "${user.account}" cannot run jobs.`,
      );
    }
    return user.account;
  }

  async #checkArtifacts(caller: Caller, request: JobRequest): Promise<void> {
    const named: [string, string][] = request.inputs.flatMap((input, index) =>
      input.artifact === undefined ? [] : [[`inputs[${index}].artifact`, input.artifact]],
    );
    if (request.mpi?.source?.artifact !== undefined)
      named.push(['mpi.source.artifact', request.mpi.source.artifact]);
    if (named.length === 0) return;
    const found = await this.#ports.artifacts.findMany(named.map(([, id]) => id));
    const usable = new Set(
      found.filter((artifact) => maySee(caller, artifact.ownerId)).map((artifact) => artifact.id),
    );
    const faults: FieldFault[] = named
      .filter(([, id]) => !usable.has(id))
      .map(([field, id]) => ({ field, message: `there is no artifact "${id}"; upload the file first` }));
    if (faults.length > 0)
      throw new Problem('invalid_request', 'The job names files that are not there.', { faults });
  }
}

function defaultName(request: JobRequest): string {
  if (request.mpi?.source !== undefined) return request.mpi.source.name.replace(/\.[^.]+$/, '');
  const program = request.mpi?.program ?? request.command?.[0];
  const word = program?.split('/').at(-1) ?? '';
  return /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}$/.test(word) ? word : 'job';
}

const sameRequest = (a: JobRequest, b: JobRequest): boolean => canonical(a) === canonical(b);

/** JSON with the keys in order: databases and clients may order them as they like. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
