import { describe, expect, it } from 'vitest';
import { slurmPhase } from './slurm-state.ts';

describe('slurmPhase', () => {
  it.each([
    ['PENDING', 'waiting'],
    ['REQUEUED', 'waiting'],
    ['REQUEUE_FED', 'waiting'],
    ['REQUEUE_HOLD', 'waiting'],
    ['RESV_DEL_HOLD', 'waiting'],
    ['SPECIAL_EXIT', 'waiting'],
    ['CONFIGURING', 'running'],
    ['RUNNING', 'running'],
    ['RESIZING', 'running'],
    ['SIGNALING', 'running'],
    ['STOPPED', 'running'],
    ['SUSPENDED', 'running'],
    ['STAGE_OUT', 'ending'],
    ['COMPLETING', 'ending'],
    ['COMPLETED', 'ended'],
    ['FAILED', 'ended'],
    ['CANCELLED', 'ended'],
    ['TIMEOUT', 'ended'],
    ['DEADLINE', 'ended'],
    ['OUT_OF_MEMORY', 'ended'],
    ['NODE_FAIL', 'ended'],
    ['BOOT_FAIL', 'ended'],
    ['PREEMPTED', 'ended'],
    ['REVOKED', 'ended'],
  ])('reads %s as %s', (state, phase) => {
    expect(slurmPhase(state)).toBe(phase);
  });

  it.each(['', 'pending', 'PD', 'HIBERNATING', 'CANCELLED by 0', 'constructor', 'toString', '__proto__'])(
    'does not guess what %j means',
    (state) => {
      expect(slurmPhase(state)).toBeUndefined();
    },
  );
});
