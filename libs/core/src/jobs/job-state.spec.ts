import { describe, expect, it } from 'vitest';
import { newJob } from '../../../../test/fakes/job-requests.ts';
import { MemoryJobStore } from '../../../../test/fakes/memory-job-store.ts';
import { canBeCancelled, finish, moveTo } from './job.ts';
import {
  FINAL_STATES,
  isFinal,
  JOB_STATES,
  type JobState,
  mayMove,
  STATES_IN_SLURM,
  UNFINISHED_STATES,
} from './job-state.ts';

/** Every move that is allowed, written down once more. */
const ALLOWED = new Set([
  'accepted → staging',
  'accepted → failed',
  'accepted → cancelled',
  'staging → submitting',
  'staging → failed',
  'staging → cancelled',
  'submitting → queued',
  'submitting → running',
  'submitting → collecting',
  'submitting → failed',
  'submitting → cancelled',
  'queued → running',
  'queued → collecting',
  'queued → submitting',
  'queued → failed',
  'running → queued',
  'running → collecting',
  'collecting → completed',
  'collecting → failed',
  'collecting → cancelled',
  'collecting → timed_out',
  'collecting → out_of_memory',
  'collecting → node_failed',
]);

const PAIRS = JOB_STATES.flatMap((from) => JOB_STATES.map((to): [JobState, JobState] => [from, to]));

describe('the table of states', () => {
  it.each(PAIRS)('answers whether a job may move from %s to %s', (from, to) => {
    expect(mayMove(from, to)).toBe(ALLOWED.has(`${from} → ${to}`));
  });

  it('has no way out of a final state, and a way on from every other', () => {
    for (const from of JOB_STATES) {
      const ways = JOB_STATES.filter((to) => mayMove(from, to));
      expect(ways.length === 0, from).toBe((FINAL_STATES as readonly string[]).includes(from));
      expect(isFinal(from), from).toBe(ways.length === 0);
    }
  });

  it('reaches every state from accepted, and a final state from every state', () => {
    expect(reachableFrom('accepted')).toEqual(new Set(JOB_STATES));
    for (const state of JOB_STATES) expect([...reachableFrom(state)].some(isFinal), state).toBe(true);
  });

  it('parts all states into finished and unfinished', () => {
    expect([...UNFINISHED_STATES, ...FINAL_STATES].sort()).toEqual([...JOB_STATES].sort());
    expect(UNFINISHED_STATES).toEqual(expect.arrayContaining([...STATES_IN_SLURM]));
  });
});

describe('moveTo', () => {
  it.each(PAIRS)('moves from %s to %s, or throws', async (from, to) => {
    const job = { ...(await storedJob()), state: from };
    if (ALLOWED.has(`${from} → ${to}`)) expect(moveTo(job, to).state).toBe(to);
    else expect(() => moveTo(job, to)).toThrow(`${from} to ${to}`);
  });

  it('clears the reason, where the patch gives none', async () => {
    const job = { ...(await storedJob()), reason: { code: 'Old', message: 'old' } };
    expect(moveTo(job, 'staging').reason).toBeNull();
    const reason = { code: 'New', message: 'new' };
    expect(moveTo(job, 'staging', { reason }).reason).toEqual(reason);
  });
});

describe('finish', () => {
  it('leaves nothing to be looked at, and keeps an end that is known', async () => {
    const now = new Date('2026-03-01T13:00:00Z');
    const job = await storedJob();
    expect(finish(job, 'failed', now)).toMatchObject({
      state: 'failed',
      lookAt: null,
      submitIntentAt: null,
      slurmEnd: null,
      endedAt: now,
    });
    const endedAt = new Date('2026-03-01T12:30:00Z');
    expect(finish({ ...job, endedAt }, 'failed', now).endedAt).toEqual(endedAt);
  });
});

describe('canBeCancelled', () => {
  it.each(JOB_STATES)('answers for %s', async (state) => {
    const ended = state === 'collecting' || (FINAL_STATES as readonly string[]).includes(state);
    expect(canBeCancelled({ ...(await storedJob()), state })).toBe(!ended);
  });
});

async function storedJob() {
  return (await new MemoryJobStore().insert(newJob())).job;
}

function reachableFrom(start: JobState): Set<JobState> {
  const reached = new Set<JobState>([start]);
  for (const from of reached) for (const to of JOB_STATES) if (mayMove(from, to)) reached.add(to);
  return reached;
}
