import { BringToSlurm } from '#core/jobs/bring-to-slurm';
import { CancelInSlurm } from '#core/jobs/cancel-in-slurm';
import { CollectJob } from '#core/jobs/collect-job';
import type { Job } from '#core/jobs/job';
import { decideOutcome } from '#core/jobs/job-outcome';
import { isFinal } from '#core/jobs/job-state';
import { RequestCancel } from '#core/jobs/request-cancel';
import type { SlurmController } from '#core/jobs/slurm-controller';
import { SubmitJob } from '#core/jobs/submit-job';
import { SweepJobs } from '#core/jobs/sweep-jobs';
import { TrackJobs } from '#core/jobs/track-jobs';
import { WorkOnJob } from '#core/jobs/work-on-job';
import { Problem } from '#core/vocabulary/problem';
import { caller } from './callers.ts';
import { CountingIds } from './counting-ids.ts';
import { existing } from './existing.ts';
import { InterleavedProcess, Killed, Turns } from './interleaved-process.ts';
import { jobRequest } from './job-requests.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryAccessStore } from './memory-access-store.ts';
import { MemoryArtifactStore } from './memory-artifact-store.ts';
import { MemoryClusterObservations } from './memory-cluster-observations.ts';
import { MemoryJobQueue } from './memory-job-queue.ts';
import { MemoryJobStore } from './memory-job-store.ts';
import { MemoryRunDirectories } from './memory-run-directories.ts';
import { SeededRandom } from './seeded-random.ts';
import { type SimulatedJob, SimulatedSlurm } from './simulated-slurm.ts';

const MOST_JOBS = 3;
const MOST_WORKERS = 3;

/** The whole of Bramble around a simulated Slurm, in which a seed decides what happens when, and what goes wrong. */
export class JobLife {
  /** What must never be, as it was seen. */
  readonly faults: string[] = [];
  readonly #random: SeededRandom;
  readonly #turns: Turns;
  readonly #clock = new ManualClock();
  readonly #changed = new Set<string>();
  readonly #jobs = new MemoryJobStore((jobId) => this.#changed.add(jobId));
  readonly #runs = new MemoryRunDirectories();
  readonly #queue = new MemoryJobQueue();
  readonly #artifacts = new MemoryArtifactStore();
  readonly #access = new MemoryAccessStore();
  readonly #observations = new MemoryClusterObservations();
  readonly #ids = new CountingIds();
  readonly #slurm: SimulatedSlurm;
  #tracker: { process: InterleavedProcess; tracker: TrackJobs } | undefined;
  #workers = 0;
  #isTracking = false;
  #isSweeping = false;
  #submitted = 0;
  #submitting = 0;
  /** Jobs that came to be collected when Slurm had forgotten them. */
  readonly #forgotten = new Set<string>();
  readonly #collected = new Set<string>();
  /** Jobs that were finished ten minutes after their end, or later. */
  readonly #finishedLate = new Set<string>();

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#turns = new Turns(this.#random);
    this.#slurm = new SimulatedSlurm(this.#clock, this.#random, this.#runs);
  }

  async jobs(): Promise<Job[]> {
    return (await this.#jobs.list({}, { limit: 100 })).items;
  }

  describe({ id }: Job): string {
    const copies = this.#slurm.copiesOf(id).map((copy) => {
      const traits = [copy.hasRun && 'ran', this.#slurm.lost.has(copy) && 'lost', copy.cancelledBy];
      return [copy.id, copy.state, copy.fate, ...traits.filter(Boolean)].join(' ');
    });
    return JSON.stringify(copies);
  }

  /** A time in which everything may fail. */
  async goWrong(steps: number): Promise<void> {
    await this.#access.insertUser({
      id: caller().userId,
      name: 'alice',
      role: 'user',
      account: 'alice',
      accountStatus: 'verified',
      accountMessage: null,
      accountUid: 1001,
      createdAt: this.#clock.now(),
    });
    this.#turns.killProbability = 0.04;
    for (let step = 0; step < steps; step += 1) {
      if (this.#submitted < MOST_JOBS && (this.#submitted === 0 || this.#random.chance(0.05))) this.#submit();
      if (this.#random.chance(0.01)) await this.#requestCancel();
      if (this.#random.chance(0.01)) this.#slurm.loseOne();
      if (this.#random.chance(0.01)) this.#slurm.cancelOne();
      if (this.#random.chance(0.05)) this.#runs.away = this.#random.chance(0.3);
      if (this.#random.chance(0.05)) this.#slurm.away = this.#random.chance(0.4);
      if (this.#random.chance(0.05)) this.#queue.down = this.#random.chance(0.3);
      await this.#step();
    }
  }

  /** A time in which nothing fails any more, until every job has ended, and on for longer than Slurm remembers. */
  async settle(steps: number): Promise<void> {
    this.#turns.killProbability = 0;
    this.#slurm.unreliable = false;
    this.#slurm.away = false;
    this.#runs.away = false;
    this.#queue.down = false;
    for (let step = 0; step < steps; step += 1) {
      await this.#step();
      if (
        this.#submitting === 0 &&
        step % 20 === 0 &&
        (await this.jobs()).every(({ state }) => isFinal(state))
      )
        break;
    }
    while (this.#turns.areWaiting) await this.#turns.next();
    const finished = new Set((await this.jobs()).filter(({ state }) => isFinal(state)).map(({ id }) => id));
    const waiting = this.#slurm.jobs.filter(({ comment, hasRun }) => finished.has(comment) && !hasRun);
    for (let minute = 0; minute < 10; minute += 1) this.#pass(60_000);
    for (const { comment } of waiting.filter(({ hasRun }) => hasRun))
      this.faults.push(`${comment} was run after it had ended`);
  }

  /** What is wrong with how a job has ended, if anything. */
  faultOf(job: Job): string | undefined {
    const copies = this.#slurm.copiesOf(job.id);
    const ran = copies.filter(({ hasRun }) => hasRun);
    if (ran.length > 1) return 'it was run more than once';
    const isGone = (copy: SimulatedJob, next: SimulatedJob) =>
      this.#slurm.lost.has(copy) || (!copy.hasRun && this.#slurm.wasForgottenAt(copy, next.submitTime));
    if (
      !copies.slice(1).every((next, index) => copies.slice(0, index + 1).every((copy) => isGone(copy, next)))
    ) {
      return 'it was submitted again though Slurm had it';
    }
    if (job.lookAt !== null) return 'it is still to be looked at';
    if (job.endedAt === null) return 'it has no end';
    const [copy] = ran;
    return copy === undefined ? this.#faultWithoutRun(job, copies) : this.#faultAfterRun(job, copy);
  }

  #faultWithoutRun(job: Job, copies: readonly SimulatedJob[]): string | undefined {
    if (job.state === 'cancelled') {
      const isCancelled = copies.some(({ cancelledBy }) => cancelledBy !== undefined);
      return job.cancelRequestedAt !== null || isCancelled ? undefined : 'nobody had cancelled it';
    }
    return job.state === 'failed' || job.state === 'node_failed' ? undefined : 'it was never run';
  }

  #faultAfterRun(job: Job, copy: SimulatedJob): string | undefined {
    const record = this.#runs.run(job.id).exit ?? null;
    const end = (state: string | null) => ({ state, reason: '', exitCode: copy.exitCode, signal: null });
    const outcomes = [decideOutcome(end(copy.state), record, job.cancelRequestedAt !== null)];
    if (this.#forgotten.has(job.id)) {
      const state = record === null ? 'LOST' : null;
      outcomes.push(decideOutcome(end(state), record, job.cancelRequestedAt !== null));
    }
    if (!outcomes.some(({ state }) => state === job.state))
      return `it should be ${outcomes.map(({ state }) => state).join(' or ')}`;
    // The record of a job which was killed may come too late, and one that cannot be read is given up after ten minutes.
    const wasKilled = copy.state !== 'COMPLETED' && copy.state !== 'FAILED';
    const mayBeUnknown = wasKilled || this.#forgotten.has(job.id) || this.#finishedLate.has(job.id);
    if (mayBeUnknown && job.exitCode === null && job.signal === null) return undefined;
    if (
      record !== null &&
      !outcomes.some(({ exitCode, signal }) => exitCode === job.exitCode && signal === job.signal)
    ) {
      return `its status should be that of its record, ${record.status}`;
    }
    return undefined;
  }

  async #step(): Promise<void> {
    const choice = this.#random.next();
    if (choice < 0.1) this.#pass(this.#random.pick([10, 500, 2_000, 10_000, 30_000, 90_000]));
    else if (choice < 0.102) this.#pass(400_000);
    else if (choice < 0.16) this.#track();
    else if (choice < 0.2) this.#sweep();
    else if (choice < 0.3) this.#work();
    if (this.#turns.areWaiting) await this.#turns.next();
    else this.#pass(1_000);
    await this.#watch();
  }

  #pass(ms: number): void {
    this.#clock.advance(ms);
    this.#slurm.tick();
  }

  /** Notes whether Slurm still knew of a job when it came to be collected, and how long that took. */
  async #watch(): Promise<void> {
    for (const jobId of this.#changed) {
      const job = await this.#jobs.find(jobId);
      const endedAt = job?.endedAt?.getTime() ?? Infinity;
      if (this.#clock.now().getTime() - endedAt >= 600_000) this.#finishedLate.add(jobId);
      if (job?.state !== 'collecting' || this.#collected.has(jobId)) continue;
      this.#collected.add(jobId);
      const copies = this.#slurm.copiesOf(jobId);
      if (copies.some((copy) => copy.hasRun && !this.#slurm.isRemembered(copy))) this.#forgotten.add(jobId);
    }
    this.#changed.clear();
  }

  /** A client, which sends its request again until it has an answer. */
  #submit(): void {
    this.#submitted += 1;
    const key = `key ${this.#submitted}`;
    const attempt = async () => {
      for (;;) {
        const process = new InterleavedProcess(this.#turns);
        const submitJob = new SubmitJob({
          jobs: process.port(this.#jobs),
          queue: process.port(this.#queue),
          artifacts: this.#artifacts,
          access: this.#access,
          ids: this.#ids,
          clock: this.#clock,
          clusterPath: (jobId) => this.#runs.clusterPath(jobId),
        });
        try {
          await submitJob.run(caller(), jobRequest(), key);
          return;
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
        }
      }
    };
    this.#submitting += 1;
    this.#begin(attempt().finally(() => (this.#submitting -= 1)));
  }

  async #requestCancel(): Promise<void> {
    const [job] = await this.jobs();
    if (job === undefined) return;
    const process = new InterleavedProcess(this.#turns);
    const requestCancel = new RequestCancel(process.port(this.#jobs), process.port(this.#queue), this.#clock);
    this.#begin(requestCancel.run(caller(), job.id));
  }

  #track(): void {
    if (this.#isTracking) return;
    if (this.#tracker === undefined || this.#tracker.process.isDead) {
      const process = new InterleavedProcess(this.#turns);
      const tracker = new TrackJobs({
        jobs: process.port(this.#jobs),
        slurm: this.#slurmOf(process),
        runs: process.port(this.#runs),
        queue: process.port(this.#queue),
        observations: process.port(this.#observations),
        clock: this.#clock,
      });
      this.#tracker = { process, tracker };
    }
    this.#isTracking = true;
    this.#begin(this.#tracker.tracker.run().finally(() => (this.#isTracking = false)));
  }

  #sweep(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const process = new InterleavedProcess(this.#turns);
    const sweeper = new SweepJobs(process.port(this.#jobs), process.port(this.#queue), this.#clock);
    this.#begin(sweeper.run().finally(() => (this.#isSweeping = false)));
  }

  /** A worker takes an entry from the queue; another may get the same one. */
  #work(): void {
    const { added } = this.#queue;
    if (this.#workers >= MOST_WORKERS || added.length === 0) return;
    const index = this.#random.between(0, added.length - 1);
    const [work, jobId] = existing(added[index]);
    if (!this.#random.chance(0.1)) added.splice(index, 1);
    this.#workers += 1;
    this.#begin(
      this.#workOnJob()
        .run(work, jobId)
        .finally(() => (this.#workers -= 1)),
    );
  }

  #workOnJob(): WorkOnJob {
    const process = new InterleavedProcess(this.#turns);
    const [jobs, runs, slurm] = [process.port(this.#jobs), process.port(this.#runs), this.#slurmOf(process)];
    const clock = this.#clock;
    const workers = {
      submit: new BringToSlurm({ jobs, runs, slurm, clock, artifacts: this.#artifacts }),
      cancel: new CancelInSlurm(jobs, slurm, clock),
      collect: new CollectJob(jobs, runs, slurm, clock),
    };
    return new WorkOnJob(workers, jobs, clock);
  }

  /** A call of sbatch begins when it is made, and not only when its turn comes. */
  #slurmOf(process: InterleavedProcess): SlurmController {
    const slurm = process.port(this.#slurm);
    return {
      settings: () => this.#slurm.settings(),
      submit: (submission) => process.step(this.#slurm.beginSubmit(submission)),
      list: () => slurm.list(),
      show: (slurmJobId) => slurm.show(slurmJobId),
      cancel: (slurmJobId) => slurm.cancel(slurmJobId),
      account: () => slurm.account(),
    };
  }

  /** Failures that are expected are those of what was made to fail. */
  #begin(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
      for (const one of errors) {
        const isExpected =
          one instanceof Killed ||
          (one instanceof Problem && one.code === 'job_finished') ||
          (one instanceof Error && /^the (storage is away|queue cannot be reached)$/.test(one.message));
        if (!isExpected) this.faults.push(String(one));
      }
    });
  }
}
