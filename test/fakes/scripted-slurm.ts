import { type Answer, absent, type Present, present, type Unknown } from '#core/vocabulary/answer';
import type {
  SlurmController,
  SlurmJob,
  SlurmJobDetail,
  SlurmSettings,
  Submission,
  SubmitOutcome,
  UnixAccount,
} from '#core/jobs/slurm-controller';

export const ALICE: UnixAccount = { name: 'alice', uid: 1001, gid: 1001, home: '/home/alice' };

export const SLURM_SETTINGS: SlurmSettings = {
  cluster: 'pi',
  submitCertaintyMs: 60_000,
  forgetsAfterMs: 300_000,
};

/** Says what a test has told it to say, and notes what it was asked to do. */
export class ScriptedSlurm implements SlurmController {
  settingsAnswer: Present<SlurmSettings> | Unknown = present(SLURM_SETTINGS);
  readonly submissions: Submission[] = [];
  readonly cancelled: [number, string][] = [];
  lists = 0;

  /** What the next calls of `submit` answer, in order; each may take its time. */
  readonly outcomes: (() => Promise<SubmitOutcome>)[] = [];
  listAnswer: Answer<SlurmJob[]> = present([]);
  readonly shown = new Map<number, Answer<SlurmJobDetail>>();
  cancelAnswer: Answer<true> = present(true);
  readonly accounts = new Map<string, Answer<UnixAccount>>([['alice', present(ALICE)]]);

  willAnswer(...outcomes: SubmitOutcome[]): void {
    this.outcomes.push(...outcomes.map((outcome) => async () => outcome));
  }

  willList(...jobs: SlurmJob[]): void {
    this.listAnswer = present(jobs);
  }

  async settings(): Promise<Present<SlurmSettings> | Unknown> {
    return this.settingsAnswer;
  }

  async submit(submission: Submission): Promise<SubmitOutcome> {
    this.submissions.push(submission);
    const outcome = this.outcomes.shift();
    if (outcome === undefined) throw new Error('nobody said what this call of sbatch answers');
    return outcome();
  }

  async list(): Promise<Answer<SlurmJob[]>> {
    this.lists += 1;
    return this.listAnswer;
  }

  async show(slurmJobId: number): Promise<Answer<SlurmJobDetail>> {
    return this.shown.get(slurmJobId) ?? absent;
  }

  async cancel(slurmJobId: number, account: UnixAccount): Promise<Answer<true>> {
    this.cancelled.push([slurmJobId, account.name]);
    return this.cancelAnswer;
  }

  async account(name: string): Promise<Answer<UnixAccount>> {
    return this.accounts.get(name) ?? absent;
  }
}

/** A job as squeue shows it while it waits; the rest as the test says. */
export const slurmJob = (
  fields: Pick<SlurmJob, 'id' | 'comment'> & Partial<SlurmJobDetail>,
): SlurmJobDetail => ({
  state: 'PENDING',
  reason: 'None',
  userId: ALICE.uid,
  nodeList: '',
  submitTime: new Date('2026-03-01T12:00:00Z'),
  startTime: null,
  endTime: null,
  exitCode: 0,
  signal: 0,
  ...fields,
});
