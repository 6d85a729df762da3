/** What a state of Slurm's means for the life of a job. */
export type SlurmPhase = 'waiting' | 'running' | 'ending' | 'ended';

/** @see https://slurm.schedmd.com/squeue.html#SECTION_JOB-STATE-CODES */
const PHASES: Record<string, SlurmPhase> = {
  PENDING: 'waiting',
  REQUEUED: 'waiting',
  REQUEUE_FED: 'waiting',
  REQUEUE_HOLD: 'waiting',
  RESV_DEL_HOLD: 'waiting',
  SPECIAL_EXIT: 'waiting',
  CONFIGURING: 'running',
  RUNNING: 'running',
  RESIZING: 'running',
  SIGNALING: 'running',
  STOPPED: 'running',
  SUSPENDED: 'running',
  STAGE_OUT: 'ending',
  COMPLETING: 'ending',
  COMPLETED: 'ended',
  FAILED: 'ended',
  CANCELLED: 'ended',
  TIMEOUT: 'ended',
  DEADLINE: 'ended',
  OUT_OF_MEMORY: 'ended',
  NODE_FAIL: 'ended',
  BOOT_FAIL: 'ended',
  PREEMPTED: 'ended',
  REVOKED: 'ended',
};

/** A state that this table does not have is a newer Slurm's: the job is left as it is, which is always safe. */
export const slurmPhase = (state: string): SlurmPhase | undefined =>
  Object.hasOwn(PHASES, state) ? PHASES[state] : undefined;
