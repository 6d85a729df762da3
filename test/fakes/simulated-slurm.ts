import { type Answer, absent, type Present, present, type Unknown, unknown } from '#core/vocabulary/answer';
import type {
  SlurmController,
  SlurmJob,
  SlurmJobDetail,
  SlurmSettings,
  Submission,
  SubmitOutcome,
  UnixAccount,
} from '#core/jobs/slurm-controller';
import type { ManualClock } from './manual-clock.ts';
import type { MemoryRunDirectories } from './memory-run-directories.ts';
import { ALICE, SLURM_SETTINGS, slurmJob } from './scripted-slurm.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What becomes of a job that is left alone. */
const FATES = [
  'completes',
  'completes',
  'completes',
  'exits with 3',
  'crashes',
  'runs out of time',
  'runs out of memory',
  'loses its node',
  'loses its node before it begins',
  'finds no storage',
] as const;
type Fate = (typeof FATES)[number];

interface End {
  /** As the batch script records it; left out where it leaves no record. */
  status?: number;
  /** As Slurm knows it. */
  exitCode?: number;
}

const ENDS: Record<Fate, End & { state: string }> = {
  completes: { state: 'COMPLETED', status: 0 },
  'exits with 3': { state: 'FAILED', status: 3, exitCode: 3 },
  crashes: { state: 'FAILED', status: 139, exitCode: 139 },
  'runs out of time': { state: 'TIMEOUT', status: 143 },
  'runs out of memory': { state: 'OUT_OF_MEMORY' },
  'loses its node': { state: 'NODE_FAIL' },
  'loses its node before it begins': { state: 'NODE_FAIL' },
  'finds no storage': { state: 'FAILED', exitCode: 75 },
};

export interface SimulatedJob extends SlurmJobDetail {
  fate: Fate;
  startsAt: number;
  endsAt: number;
  /** Whether the user's program was run. */
  hasRun: boolean;
  cancelledBy: 'user' | 'administrator' | undefined;
}

interface ExitFile {
  jobId: string;
  slurmJobId: number;
  status: number;
  endedAt: number;
  visibleAt: number;
}

/**
 * A cluster that runs jobs as time goes by: it claims run directories and leaves records as batch scripts do. While it
 * is `unreliable` it answers late, unclearly or not at all, and now and then loses a job that waits.
 */
export class SimulatedSlurm implements SlurmController {
  unreliable = true;
  /** The controller does not answer at all; the jobs go on. */
  away = false;
  /** Every job that there ever was. */
  readonly jobs: SimulatedJob[] = [];
  readonly lost = new Set<SimulatedJob>();
  readonly refused = new Set<string>();
  readonly #clock: ManualClock;
  readonly #random: SeededRandom;
  readonly #runs: MemoryRunDirectories;
  #onTheWay: { comment: string; arrivesAt: number }[] = [];
  #records: ExitFile[] = [];

  constructor(clock: ManualClock, random: SeededRandom, runs: MemoryRunDirectories) {
    this.#clock = clock;
    this.#random = random;
    this.#runs = runs;
  }

  copiesOf(comment: string): SimulatedJob[] {
    return this.jobs.filter((job) => job.comment === comment);
  }

  isRemembered(job: SimulatedJob): boolean {
    return !this.lost.has(job) && !this.wasForgottenAt(job, this.#clock.now());
  }

  wasForgottenAt({ endTime }: SimulatedJob, time: Date): boolean {
    return endTime !== null && time.getTime() - endTime.getTime() >= SLURM_SETTINGS.forgetsAfterMs;
  }

  /** Lets everything happen whose time has come. */
  tick(): void {
    const now = this.#now();
    for (const { comment } of this.#onTheWay.filter(({ arrivesAt }) => arrivesAt <= now))
      this.#accept(comment);
    this.#onTheWay = this.#onTheWay.filter(({ arrivesAt }) => arrivesAt > now);
    for (const job of this.jobs) {
      if (this.lost.has(job)) continue;
      if (job.state === 'PENDING' && job.startsAt <= now) this.#begin(job);
      if (job.state === 'RUNNING' && job.endsAt <= now) this.#end(job);
    }
    for (const { jobId, visibleAt, slurmJobId, status, endedAt } of this.#records) {
      if (visibleAt <= now) this.#runs.run(jobId).exit = { slurmJobId, phase: 'run', status, endedAt };
    }
    this.#records = this.#records.filter(({ visibleAt }) => visibleAt > now);
  }

  /** As after a crash of slurmctld: a job that waits is not there any more. */
  loseOne(): void {
    const waiting = this.jobs.filter((job) => job.state === 'PENDING' && !this.lost.has(job));
    if (waiting.length > 0) this.lost.add(this.#random.pick(waiting));
  }

  /** Somebody with rights in Slurm cancels a job there. */
  cancelOne(): void {
    const alive = this.jobs.filter((job) => job.endTime === null && !this.lost.has(job));
    if (alive.length > 0) this.#cancel(this.#random.pick(alive), 'administrator');
  }

  async settings(): Promise<Present<SlurmSettings> | Unknown> {
    return this.away ? unknown('slurmctld does not answer') : present(SLURM_SETTINGS);
  }

  submit(submission: Submission): Promise<SubmitOutcome> {
    return this.beginSubmit(submission)();
  }

  /** A call of sbatch that begins now and is carried out when the returned function is called, or not at all. */
  beginSubmit({ script }: Submission): () => Promise<SubmitOutcome> {
    const deadline = this.#now() + SLURM_SETTINGS.submitCertaintyMs;
    const comment = /^#SBATCH --comment=(.*)$/m.exec(script)?.[1] ?? '';
    return async () => {
      const now = this.#now();
      if (now > deadline || this.away) return { kind: 'unclear', because: 'sbatch was killed' };
      if (!this.unreliable || this.#random.chance(0.5)) {
        return { kind: 'submitted', slurmJobId: this.#accept(comment).id, cluster: null };
      }
      switch (this.#random.pick(['refused', 'later', 'later', 'lost', 'lost', 'taken', 'taken', 'delayed'])) {
        case 'refused':
          this.refused.add(comment);
          return { kind: 'refused', code: 'InvalidPartition', message: 'There is no such partition.' };
        case 'later':
          return { kind: 'later', code: 'QOSMaxSubmitJobPerUserLimit', message: 'There are enough jobs.' };
        case 'taken':
          this.#accept(comment);
          break;
        case 'delayed':
          this.#onTheWay.push({ comment, arrivesAt: this.#random.between(now, deadline) });
      }
      return { kind: 'unclear', because: 'sbatch timed out' };
    };
  }

  async list(): Promise<Answer<SlurmJob[]>> {
    if (this.#isSilent()) return unknown('slurmctld does not answer');
    return present(structuredClone(this.jobs.filter((job) => this.isRemembered(job))));
  }

  async show(slurmJobId: number): Promise<Answer<SlurmJobDetail>> {
    if (this.#isSilent()) return unknown('slurmctld does not answer');
    const job = this.jobs.find(({ id }) => id === slurmJobId);
    return job === undefined || !this.isRemembered(job) ? absent : present(structuredClone(job));
  }

  async cancel(slurmJobId: number): Promise<Answer<true>> {
    const job = this.jobs.find(({ id }) => id === slurmJobId);
    const silent = this.#isSilent();
    if (silent && this.#random.chance(0.5)) return unknown('scancel timed out');
    const isThere = job?.endTime === null && !this.lost.has(job);
    if (isThere) this.#cancel(job, 'user');
    if (silent) return unknown('scancel timed out');
    return isThere ? present(true) : absent;
  }

  async account(): Promise<Answer<UnixAccount>> {
    return this.#isSilent() ? unknown('nobody answers') : present(ALICE);
  }

  #now(): number {
    return this.#clock.now().getTime();
  }

  #isSilent(): boolean {
    return this.away || (this.unreliable && this.#random.chance(0.15));
  }

  #accept(comment: string): SimulatedJob {
    const startsAt = this.#now() + this.#random.between(0, 60_000);
    const job: SimulatedJob = {
      ...slurmJob({
        id: 100 + this.jobs.length,
        comment,
        reason: 'Resources',
        submitTime: this.#clock.now(),
      }),
      fate: this.#random.pick(FATES),
      startsAt,
      endsAt: startsAt + this.#random.between(0, 120_000),
      hasRun: false,
      cancelledBy: undefined,
    };
    this.jobs.push(job);
    return job;
  }

  #begin(job: SimulatedJob): void {
    Object.assign(job, {
      state: 'RUNNING',
      reason: 'None',
      startTime: this.#clock.now(),
      nodeList: 'node01',
    });
    if (job.fate === 'loses its node before it begins' || job.fate === 'finds no storage') return;
    const run = this.#runs.run(job.comment);
    run.claim ??= job.id;
    if (run.claim !== job.id) {
      this.#finish(job, 'COMPLETED', {});
      return;
    }
    job.hasRun = true;
    run.start = { slurmJobId: job.id, startedAt: seconds(this.#now()) };
  }

  #end(job: SimulatedJob): void {
    const { state, ...end } = ENDS[job.fate];
    this.#finish(job, state, end);
  }

  #cancel(job: SimulatedJob, by: 'user' | 'administrator'): void {
    job.cancelledBy ??= by;
    this.#finish(job, 'CANCELLED', job.hasRun && this.#random.chance(0.7) ? { status: 143 } : {});
  }

  #finish(job: SimulatedJob, state: string, end: End): void {
    Object.assign(job, { state, endTime: this.#clock.now(), exitCode: end.exitCode ?? 0 });
    if (end.status === undefined) return;
    const record = {
      jobId: job.comment,
      slurmJobId: job.id,
      status: end.status,
      endedAt: seconds(this.#now()),
    };
    // The storage shows to others what a node has written up to a minute later.
    this.#records.push({
      ...record,
      visibleAt: this.#now() + this.#random.between(0, this.unreliable ? 60_000 : 0),
    });
  }
}

const seconds = (ms: number): number => Math.floor(ms / 1000);
