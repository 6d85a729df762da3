import { describe, expect, it } from 'vitest';
import { waitingReason } from './waiting-reason.ts';

describe('waitingReason', () => {
  it.each(['', 'None'])('has nothing to say about %j', (reason) => {
    expect(waitingReason(reason)).toBeNull();
  });

  it.each([
    'Resources',
    'Priority',
    'Dependency',
    'DependencyNeverSatisfied',
    'BeginTime',
    'JobHeldUser',
    'JobHeldAdmin',
    'PartitionDown',
    'PartitionTimeLimit',
    'PartitionNodeLimit',
    'ReqNodeNotAvail',
    'QOSMaxJobsPerUserLimit',
    'AssocMaxJobsLimit',
    'AssocGrpCpuLimit',
    'InvalidAccount',
  ])('keeps the code %s and says it in a sentence of its own', (reason) => {
    const answer = waitingReason(reason);
    expect(answer?.code).toBe(reason);
    expect(answer?.message).toMatch(/^[A-Z].{15,}\.$/);
    expect(answer?.message).not.toContain("Slurm's reason is");
  });

  it('adds what Slurm says behind the code', () => {
    expect(waitingReason('ReqNodeNotAvail, UnavailableNodes:node05')).toEqual({
      code: 'ReqNodeNotAvail',
      message:
        'A node that it needs is not available now: down, drained or reserved. (UnavailableNodes:node05)',
    });
  });

  it.each([
    ['SomeNewLimit', 'SomeNewLimit'],
    ['launch_failed_requeued_held', 'launch_failed_requeued_held'],
    ['launch failed requeued held', 'launch'],
    ['Nodes required for job are DOWN, DRAINED or reserved', 'Nodes'],
    ['(odd)', '(odd)'],
    ['constructor', 'constructor'],
    ['toString, x', 'toString'],
    ['hasOwnProperty', 'hasOwnProperty'],
  ])('quotes %j, which it has no sentence for', (reason, code) => {
    expect(waitingReason(reason)).toEqual({ code, message: `Waits; Slurm's reason is "${reason}".` });
  });
});
