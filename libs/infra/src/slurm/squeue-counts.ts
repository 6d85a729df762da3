import { slurmPhase } from '#core/jobs/slurm-state';

/** Only states, and a row for each task of an array. */
export function command(): [string, ...string[]] {
  return ['squeue', '--all', '--array', '--noheader', '--format=%T'];
}

/** @throws SyntaxError where a row is no state */
export function parse(stdout: string): { pending: number; running: number } {
  const counts = { pending: 0, running: 0 };
  for (const state of stdout.split('\n')) {
    if (state === '') continue;
    if (!/^[A-Z_]+$/.test(state))
      throw new SyntaxError(`squeue wrote what is no state: ${JSON.stringify(state.slice(0, 200))}`);
    const phase = slurmPhase(state);
    if (phase === 'waiting') counts.pending += 1;
    else if (phase === 'running') counts.running += 1;
  }
  return counts;
}
