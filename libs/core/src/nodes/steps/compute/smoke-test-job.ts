import type { SlurmJobDetail, SlurmSettings, UnixAccount } from '../../../jobs/slurm-controller.ts';
import { slurmPhase } from '../../../jobs/slurm-state.ts';
import { type StepContext, StepProblem } from '../../board-step.ts';
import { SMOKE_TEST_MINUTES, type SmokeTest, smokeTestScript } from './smoke-test-script.ts';

/** What is kept of a job before and after Slurm was told of it. */
interface Attempt {
  mark: string;
  /** When sbatch was called, in ms since 1970. */
  at: number;
  account: UnixAccount;
  /** Whether the test was passed with it. */
  isPassed?: true;
}

const STARTS_WITHIN_MS = 5 * 60_000;
const ENDS_WITHIN_MS = (SMOKE_TEST_MINUTES + 1) * 60_000;
const LOOK_AGAIN_MS = 300;

const outputPath = (mark: string): string => `/var/tmp/bramble-smoke-test-${mark.split('/').at(-1) ?? ''}`;

const noteOf = (nodes: readonly string[]): string => `smoke-test ${nodes.join('+')}`;

function attemptOn(context: StepContext, nodes: readonly string[]): Attempt | undefined {
  const kept = context.note(noteOf(nodes));
  return kept === undefined ? undefined : (JSON.parse(kept) as Attempt);
}

/** Whether {@link keepPassed} was told so in the course of this operation. */
export const hasPassed = (context: StepContext, nodes: readonly string[]): boolean =>
  attemptOn(context, nodes)?.isPassed === true;

export async function keepPassed(context: StepContext, nodes: readonly string[]): Promise<void> {
  const attempt = attemptOn(context, nodes);
  await context.keepNote(noteOf(nodes), JSON.stringify({ ...attempt, isPassed: true }));
}

/**
 * Runs a job to its end, once for an operation and a set of nodes: the intent is kept before Slurm is told. After an
 * interruption the job is looked up by its mark, and submitted again only once Slurm has denied it at a time when the
 * interrupted call can have no effect any more.
 * @throws StepProblem where Slurm does not take it, or it does not start
 */
export async function runSmokeTestJob(
  context: StepContext,
  test: Omit<SmokeTest, 'mark' | 'outputPath'>,
): Promise<{ job: SlurmJobDetail; outputPath: string }> {
  const before = attemptOn(context, test.nodes);
  const found = before === undefined ? undefined : await lookUp(context, before);
  if (before !== undefined && found !== undefined)
    return { job: await ended(context, found, before), outputPath: outputPath(before.mark) };

  await settingsOf(context);
  const mark = `${context.operation.id}/${crypto.randomUUID()}`;
  const account = await accountOf(context);
  const attempt: Attempt = { mark, at: context.now().getTime(), account };
  await context.keepNote(noteOf(test.nodes), JSON.stringify(attempt));
  const id = await submit(context, { ...test, mark, outputPath: outputPath(mark) }, attempt);
  await context.say(`Job ${id} runs on ${test.nodes.join(' and ')}.\n`);
  return { job: await ended(context, id, attempt), outputPath: outputPath(mark) };
}

async function submit(context: StepContext, test: SmokeTest, attempt: Attempt): Promise<number> {
  const outcome = await context.slurm.jobs.submit({
    script: smokeTestScript(test),
    account: attempt.account,
  });
  switch (outcome.kind) {
    case 'submitted':
      return outcome.slurmJobId;
    case 'refused':
      throw new StepProblem(`Slurm refuses the test job: ${outcome.message}`);
    case 'later':
      throw new StepProblem(`Slurm does not take the test job now: ${outcome.message}`, { passing: true });
    case 'unclear': {
      const id = await lookUp(context, attempt);
      if (id !== undefined) return id;
      throw new StepProblem(`Slurm did not take the test job: ${outcome.because}`, { passing: true });
    }
  }
}

/** @throws StepProblem, passing, where Slurm has never answered yet */
async function settingsOf({ slurm }: StepContext): Promise<SlurmSettings> {
  const answer = await slurm.jobs.settings();
  if (answer.kind === 'present') return answer.value;
  throw new StepProblem(`Slurm does not answer: ${answer.because}`, { passing: true });
}

/** @returns its id; undefined where Slurm has no such job, and will not have it any more */
async function lookUp(context: StepContext, { mark, at }: Attempt): Promise<number | undefined> {
  const { slurm } = context;
  const certainAt = at + (await settingsOf(context)).submitCertaintyMs;
  for (;;) {
    const askedAt = context.now().getTime();
    const listed = await slurm.jobs.list();
    if (listed.kind === 'present') {
      const found = listed.value.find(({ comment }) => comment === mark);
      if (found !== undefined) return found.id;
      if (askedAt >= certainAt) return undefined;
    }
    if (listed.kind === 'unknown' && askedAt >= certainAt)
      throw new StepProblem(`Slurm does not answer: ${listed.because}`, { passing: true });
    await context.pause(LOOK_AGAIN_MS);
  }
}

/** Waits for the end of a job. One that does not start is cancelled. */
async function ended(context: StepContext, id: number, { account }: Attempt): Promise<SlurmJobDetail> {
  const { slurm } = context;
  const begunAt = context.now().getTime();
  for (;;) {
    const shown = await slurm.jobs.show(id);
    if (shown.kind === 'absent')
      throw new StepProblem(`Slurm has forgotten the test job ${id}.`, { passing: true });
    const phase = shown.kind === 'present' ? slurmPhase(shown.value.state) : undefined;
    if (shown.kind === 'present' && phase === 'ended') return shown.value;
    const waitedMs = context.now().getTime() - begunAt;
    if (waitedMs > STARTS_WITHIN_MS + (phase === 'waiting' ? 0 : ENDS_WITHIN_MS)) {
      await slurm.jobs.cancel(id, account);
      if (shown.kind === 'unknown')
        throw new StepProblem(`Slurm does not answer: ${shown.because}`, { passing: true });
      const { state, reason } = shown.value;
      throw new StepProblem(
        `The test job ${id} does not end: Slurm has it as ${state} (${reason}). It was cancelled.`,
      );
    }
    await context.pause(LOOK_AGAIN_MS);
  }
}

/** The first account that all boards have, or `nobody`, which every Debian has with the same number. */
async function accountOf({ slurm, site }: StepContext): Promise<UnixAccount> {
  for (const name of [...site.accounts.slice(0, 1).map((account) => account.name), 'nobody']) {
    const answer = await slurm.jobs.account(name);
    if (answer.kind === 'present') return answer.value;
    if (answer.kind === 'unknown')
      throw new StepProblem(`The account of the test job cannot be looked up: ${answer.because}`, {
        passing: true,
      });
  }
  throw new StepProblem('Where jobs are submitted there is neither an account of the boards nor "nobody".');
}
