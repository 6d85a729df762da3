import { type Answer, absent, present, unknown } from '#core/vocabulary/answer';
import { describeFailure } from './command-failure.ts';
import type { CommandResult } from './command-transport.ts';

/** Without `--verbose` scancel is silent, with exit code 0, about a job that Slurm does not have. */
export function command(slurmJobId: number): [string, ...string[]] {
  return ['scancel', '--verbose', String(slurmJobId)];
}

/** `absent` where Slurm has no such job, or it has ended or is about to. */
export function parse(result: CommandResult): Answer<true> {
  if (
    result.kind === 'exited' &&
    /Invalid job id specified|already completing or completed/.test(result.stderr)
  ) {
    return absent;
  }
  const refused = result.kind === 'exited' && result.stderr.includes('scancel: error:');
  if (result.kind !== 'exited' || result.code !== 0 || refused)
    return unknown(describeFailure('scancel', result));
  return present(true);
}
