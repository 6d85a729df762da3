import type { SubmitOutcome } from '#core/jobs/slurm-controller';
import { describeFailure, oneLine } from './command-failure.ts';
import { type CommandResult, KILL_AFTER_SECONDS } from './command-transport.ts';
import { judgeAnswer, judgeComplaints, type SubmitVerdict } from './submit-verdicts.ts';

/**
 * sbatch reads the script from its standard input. `timeout` ends its life even where the worker, or the line to the
 * login node, is gone: nothing happens later than that.
 *
 * `--propagate=NONE`: the job gets the limits of its nodes. Else sbatch hands on the worker's, and a job whose node
 * allows less begins with `Can't propagate RLIMIT_NOFILE`.
 * @param sbatch name or path of the program
 * @see https://slurm.schedmd.com/sbatch.html#OPT_propagate
 */
export function command(sbatch: string, lifeSeconds: number): [string, ...string[]] {
  return [
    'timeout',
    '-k',
    String(KILL_AFTER_SECONDS),
    String(lifeSeconds),
    sbatch,
    '--parsable',
    '--propagate=NONE',
  ];
}

/** `timeout` says so of itself (125), of a program that is not executable (126) or not there (127). */
const NEVER_STARTED_CODES = [125, 126, 127];
const TIMED_OUT_CODES = [124, 128 + 9, 128 + 15];

const SUBMISSION_FAILED = 'Batch job submission failed: ';

export function parse(result: CommandResult): SubmitOutcome {
  if (result.kind === 'unreachable') {
    return {
      kind: 'later',
      code: 'SubmitHostUnreachable',
      message: `The job could not be handed over yet: ${result.because}.`,
    };
  }
  if (result.kind === 'exited' && result.code === 0) {
    return (
      readJobId(result.stdout) ?? {
        kind: 'unclear',
        because: `sbatch printed no job id: ${oneLine(result.stdout)}`,
      }
    );
  }
  // Its id, and nothing else, is evidence whatever became of sbatch afterwards.
  const submitted = ONLY_A_JOB_ID.test(result.stdout) ? readJobId(result.stdout) : undefined;
  if (submitted !== undefined) return submitted;
  if (result.kind !== 'exited') return { kind: 'unclear', because: describeFailure('sbatch', result) };
  if (TIMED_OUT_CODES.includes(result.code)) {
    return { kind: 'unclear', because: describeFailure('sbatch, which ran out of time,', result) };
  }
  if (NEVER_STARTED_CODES.includes(result.code)) {
    return {
      kind: 'later',
      code: 'SubmitHostUnusable',
      message: `sbatch could not be started on the submit host: ${oneLine(result.stderr)}.`,
    };
  }
  return fromTexts(result.stderr, describeFailure('sbatch', result));
}

const ONLY_A_JOB_ID = /^\d+(?:;[^\s;]+)?\n$/;

/** The last line: `id`, or `id;cluster` where several clusters share their accounting. */
function readJobId(stdout: string): SubmitOutcome | undefined {
  const [, id, cluster] = /(?:^|\n)(\d{1,10})(?:;([^\s;]+))?\n$/.exec(stdout) ?? [];
  return id === undefined
    ? undefined
    : { kind: 'submitted', slurmJobId: Number(id), cluster: cluster ?? null };
}

function fromTexts(stderr: string, failure: string): SubmitOutcome {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const texts = lines.map((line) => line.replace(/^sbatch: (?:error: |fatal: )?/, '').trim());
  const answer = texts
    .findLast((text) => text.startsWith(SUBMISSION_FAILED))
    ?.slice(SUBMISSION_FAILED.length);
  const notes = texts.filter((text) => !text.startsWith(SUBMISSION_FAILED));
  if (answer !== undefined) return toOutcome(judgeAnswer(answer, notes), [...notes, answer], failure);
  const known = lines.some((line) => /^(?:sbatch|sudo|setpriv): /.test(line));
  return toOutcome(judgeComplaints(known ? texts : []), texts, failure);
}

function toOutcome(
  { kind, code, sentence }: SubmitVerdict,
  texts: readonly string[],
  failure: string,
): SubmitOutcome {
  if (kind === 'unclear') return { kind, because: failure };
  return { kind, code, message: `${sentence} (Slurm: ${oneLine(texts.join('\n'))}).` };
}
