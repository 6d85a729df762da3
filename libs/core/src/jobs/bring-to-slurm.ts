import { FIRST_USER_UID } from '../access/verify-accounts.ts';
import type { ArtifactStore } from '../artifacts/artifact.ts';
import type { Unknown } from '../vocabulary/answer.ts';
import type { Clock } from '../vocabulary/clock.ts';
import { Problem } from '../vocabulary/problem.ts';
import { changeJob } from './change-job.ts';
import type { NextLook } from './work-on-job.ts';
import { finish, isShownAs, type Job, type JobPatch, moveTo } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { RunDirectories, StagedFile } from './run-directory.ts';
import type { SlurmController, SubmitOutcome, UnixAccount } from './slurm-controller.ts';

export interface BringToSlurmPorts {
  jobs: JobStore;
  artifacts: ArtifactStore;
  runs: RunDirectories;
  slurm: SlurmController;
  clock: Clock;
  /** Told how long a call of sbatch took, and how it went. */
  onSubmitted?: (outcome: SubmitOutcome['kind'], seconds: number) => void;
}

const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 5 * 60_000;
/** How long after its intent sbatch is called at the latest: others reckon from the intent. */
const CALL_WITHIN_MS = 5_000;
const SLURM_SILENT = 'ControllerUnreachable';

/**
 * Takes a job from `accepted` to Slurm, through `staging` and `submitting`. It may be run at any time, any number of
 * times and by several workers at once: each run reads where the job is and goes on from there.
 *
 * Exactly once: the intent is stored before sbatch is called, and only one worker can store it. While an intent
 * stands, its outcome is looked up, by the job's id in Slurm's comment and by the claim on the shared storage;
 * sbatch is called again only after Slurm and the storage have both denied the job at a time when the old call can
 * have no effect any more. Should a second copy run all the same, it finds the claim and does nothing.
 */
export class BringToSlurm {
  readonly #ports: BringToSlurmPorts;

  constructor(ports: BringToSlurmPorts) {
    this.#ports = ports;
  }

  async run(jobId: string): Promise<NextLook> {
    for (;;) {
      const job = await this.#ports.jobs.find(jobId);
      if (job === undefined) return undefined;
      const step = await this.#step(job);
      if (step !== 'again') return step;
    }
  }

  async #step(job: Job): Promise<NextLook | 'again'> {
    switch (job.state) {
      case 'accepted':
        await this.#change(
          job,
          job.cancelRequestedAt === null ? moveTo(job, 'staging') : this.#cancelled(job),
        );
        return 'again';
      case 'staging':
        return job.cancelRequestedAt === null ? this.#stage(job) : this.#end(job, this.#cancelled(job));
      case 'submitting':
        if (job.submitIntentAt !== null) return this.#lookUp(job, job.submitIntentAt);
        return job.cancelRequestedAt === null ? this.#submit(job) : this.#end(job, this.#cancelled(job));
      case 'queued':
      case 'running':
      case 'collecting':
      case 'completed':
      case 'failed':
      case 'cancelled':
      case 'timed_out':
      case 'out_of_memory':
      case 'node_failed':
        return undefined;
    }
  }

  async #stage(job: Job): Promise<NextLook | 'again'> {
    const account = await this.#account(job);
    if (account === 'ended') return undefined;
    if (account === 'unknown') return { afterMs: RETRY_MS };
    try {
      await this.#ports.runs.stage(job.id, await this.#stagedFiles(job), account);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return this.#end(
        job,
        finish(job, 'failed', this.#ports.clock.now(), {
          reason: { code: 'StagingFailed', message: error.message },
        }),
      );
    }
    await this.#change(job, moveTo(job, 'submitting'));
    return 'again';
  }

  async #submit(job: Job): Promise<NextLook | 'again'> {
    const { slurm, clock } = this.#ports;
    const account = await this.#account(job);
    if (account === 'ended') return undefined;
    if (account === 'unknown') return { afterMs: RETRY_MS };
    const settings = await slurm.settings();
    if (settings.kind === 'unknown') return this.#waitForSlurm(job, settings);
    const { cluster, submitCertaintyMs } = settings.value;

    const startedAt = clock.now();
    const intent = await this.#change(job, {
      submitIntentAt: startedAt,
      accountUid: account.uid,
      submitAttempts: job.submitAttempts + 1,
      lookAt: new Date(startedAt.getTime() + CALL_WITHIN_MS + submitCertaintyMs),
    });
    if (intent === undefined) return 'again';
    if (clock.now().getTime() - startedAt.getTime() > CALL_WITHIN_MS) {
      await this.#settleAttempt(intent, () => ({ submitIntentAt: null }));
      return 'again';
    }

    const outcome = await slurm.submit({ script: job.script, account });
    this.#ports.onSubmitted?.(outcome.kind, (clock.now().getTime() - startedAt.getTime()) / 1000);
    switch (outcome.kind) {
      case 'submitted':
        await this.#adopt(job.id, outcome.slurmJobId, outcome.cluster ?? cluster);
        return undefined;
      case 'refused':
        await this.#settleAttempt(intent, (current) =>
          finish(current, 'failed', clock.now(), {
            reason: { code: outcome.code, message: outcome.message },
          }),
        );
        return undefined;
      case 'later': {
        const afterMs = Math.min(RETRY_MS * 2 ** Math.min(intent.submitAttempts - 1, 10), LONGEST_RETRY_MS);
        const settled = await this.#settleAttempt(intent, () => ({
          submitIntentAt: null,
          reason: { code: outcome.code, message: outcome.message },
          lookAt: new Date(clock.now().getTime() + afterMs),
        }));
        return settled?.state === 'submitting' && settled.cancelRequestedAt === null ? { afterMs } : 'again';
      }
      case 'unclear': {
        const settled = await this.#settleAttempt(intent, () => ({
          reason: {
            code: 'SubmissionUnclear',
            message: `Slurm gave no clear answer (${outcome.because}); looking the job up.`,
          },
        }));
        return settled?.state === 'submitting' ? { afterMs: RETRY_MS } : 'again';
      }
    }
  }

  /** Nothing is known of Slurm yet, and so nothing of when a call of sbatch would be over. */
  async #waitForSlurm(job: Job, { because }: Unknown): Promise<NextLook> {
    if (job.reason?.code !== SLURM_SILENT)
      await this.#change(job, {
        reason: {
          code: SLURM_SILENT,
          message: `Slurm has not answered yet, and the job will be handed over when it does: ${because}`,
        },
      });
    return { afterMs: RETRY_MS };
  }

  async #lookUp(job: Job, intentAt: Date): Promise<NextLook | 'again'> {
    const { slurm, runs, clock } = this.#ports;
    const settings = await slurm.settings();
    if (settings.kind === 'unknown') return { afterMs: RETRY_MS };
    const { cluster, submitCertaintyMs } = settings.value;
    const certainAt = intentAt.getTime() + CALL_WITHIN_MS + submitCertaintyMs;
    const askedAt = clock.now().getTime();
    // In this order: whatever Slurm does not list any more has claimed its directory before the claim is read.
    const listed = await slurm.list();
    const claim = await runs.readClaim(job.id);
    if (claim.kind === 'present') {
      await this.#adopt(job.id, claim.value, cluster);
      return undefined;
    }
    if (listed.kind === 'present') {
      const found = listed.value.find((candidate) => isShownAs(job, candidate));
      if (found !== undefined) {
        await this.#adopt(job.id, found.id, cluster);
        return undefined;
      }
    }
    if (claim.kind === 'unknown' || listed.kind !== 'present') return { afterMs: RETRY_MS };
    if (askedAt < certainAt) return { afterMs: certainAt - askedAt + 100 };
    await this.#change(job, { submitIntentAt: null });
    return 'again';
  }

  async #adopt(jobId: string, slurmJobId: number, cluster: string): Promise<void> {
    await this.#settle(jobId, (current) => ({
      ...moveTo(current, 'queued'),
      slurm: { cluster, jobId: slurmJobId, submitTime: null, nodeList: '' },
      submittedAt: this.#ports.clock.now(),
      submitIntentAt: null,
      lookAt: current.cancelRequestedAt === null ? null : this.#ports.clock.now(),
    }));
  }

  /** Records an outcome, unless the tracker has found the job in Slurm first. */
  #settle(jobId: string, decide: (current: Job) => JobPatch | undefined): Promise<Job | undefined> {
    return changeJob(this.#ports.jobs, this.#ports.clock, jobId, (current) =>
      current.state === 'submitting' ? decide(current) : undefined,
    );
  }

  /** Records how an attempt went. An answer may come after the attempt was given up: it says nothing of the next one. */
  #settleAttempt(attempt: Job, decide: (current: Job) => JobPatch): Promise<Job | undefined> {
    return this.#settle(attempt.id, (current) =>
      current.submitIntentAt !== null && current.submitAttempts === attempt.submitAttempts
        ? decide(current)
        : undefined,
    );
  }

  async #account(job: Job): Promise<UnixAccount | 'ended' | 'unknown'> {
    const answer = await this.#ports.slurm.account(job.account);
    switch (answer.kind) {
      case 'unknown':
        return 'unknown';
      case 'absent':
        await this.#end(job, this.#refused(job, `The cluster has no Unix account "${job.account}".`));
        return 'ended';
      case 'present':
        if (answer.value.uid >= FIRST_USER_UID) return answer.value;
        await this.#end(
          job,
          this.#refused(
            job,
            `The Unix account "${job.account}" belongs to root or a service; jobs never run as those.`,
          ),
        );
        return 'ended';
    }
  }

  async #stagedFiles(job: Job): Promise<StagedFile[]> {
    const { request } = job;
    const source = request.mpi?.source;
    const wanted = [
      ...request.inputs.map(({ path, mode, content, artifact }) => ({
        path,
        mode: Number.parseInt(mode, 8),
        content,
        artifact,
      })),
      ...(source === undefined
        ? []
        : [{ path: source.name, mode: 0o644, content: source.content, artifact: source.artifact }]),
    ];
    const ids = wanted.flatMap(({ artifact }) => (artifact === undefined ? [] : [artifact]));
    const found = new Map(
      (await this.#ports.artifacts.findMany(ids)).map((artifact) => [artifact.id, artifact.sha256]),
    );
    return wanted.map(({ path, mode, content, artifact }) => {
      if (content !== undefined) return { path, mode, source: { text: content } };
      const sha256 = found.get(artifact ?? '');
      if (sha256 === undefined)
        throw new Problem('not_found', `The artifact of "${path}" is not there any more.`);
      return { path, mode, source: { sha256 } };
    });
  }

  #cancelled(job: Job): JobPatch {
    return finish(job, 'cancelled', this.#ports.clock.now(), {
      reason: { code: 'Cancelled', message: 'Cancelled before it was handed to Slurm.' },
    });
  }

  #refused(job: Job, message: string): JobPatch {
    return finish(job, 'failed', this.#ports.clock.now(), { reason: { code: 'AccountRefused', message } });
  }

  async #end(job: Job, patch: JobPatch): Promise<'again'> {
    await this.#change(job, patch);
    return 'again';
  }

  #change(job: Job, patch: JobPatch): Promise<Job | undefined> {
    return this.#ports.jobs.change(job, patch, this.#ports.clock.now());
  }
}
