import { type Answer, absent, present, unknown } from '#core/vocabulary/answer';
import type { SlurmJobDetail } from '#core/jobs/slurm-controller';
import { describeFailure } from './command-failure.ts';
import type { CommandResult } from './command-transport.ts';
import { parseSlurmTime } from './slurm-time.ts';
import { actualTimes } from './squeue.ts';

/**
 * Several lines a job rather than `--oneliner`: a name may hold ` JobState=COMPLETED`, but no name of Bramble's holds
 * the end of a line.
 */
export function command(slurmJobId: number): [string, ...string[]] {
  return ['scontrol', 'show', 'job', String(slurmJobId)];
}

/** A job that Slurm does not remember is `absent`; output that is not understood is `unknown`. */
export function parse(result: CommandResult, slurmJobId: number): Answer<SlurmJobDetail> {
  if (result.kind === 'exited' && result.code === 1 && result.stderr.includes('Invalid job id specified'))
    return absent;
  if (result.kind !== 'exited' || result.code !== 0)
    return unknown(describeFailure('scontrol show job', result));
  try {
    return present(parseRecord(result.stdout, slurmJobId));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return unknown(error.message);
  }
}

/**
 * Each line is looked for as a whole and must be there once. Whoever puts such a line into a name or a comment of his
 * own makes his own job unreadable, and changes nobody else's.
 */
function parseRecord(stdout: string, slurmJobId: number): SlurmJobDetail {
  const record = recordOf(stdout, slurmJobId);
  const [userId] = onlyMatch(record, /^ {3}UserId=\S*\((\d+)\) GroupId=/gm);
  const [state, reason] = onlyMatch(record, /^ {3}JobState=([A-Z_]+) Reason=(.*) Dependency=/gm);
  const [exitCode, signal] = onlyMatch(record, /^ {3}Requeue=.* ExitCode=(\d+):(\d+)/gm);
  const [submit] = onlyMatch(record, /^ {3}SubmitTime=(\S+)/gm);
  const [start, end] = onlyMatch(record, /^ {3}StartTime=(\S+) EndTime=(\S+)/gm);
  const [nodeList] = onlyMatch(record, /^ {3}NodeList=(\S*)/gm);
  const submitTime = parseSlurmTime(submit);
  if (submitTime === null) throw new SyntaxError('scontrol show job wrote no submit time');
  return {
    id: slurmJobId,
    state,
    reason,
    comment: /^ {3}Comment=/m.test(record) ? onlyMatch(record, /^ {3}Comment=(.*?) ?$/gm)[0] : '',
    userId: Number(userId),
    nodeList: nodeList === '(null)' ? '' : nodeList,
    submitTime,
    ...actualTimes(state, parseSlurmTime(start), parseSlurmTime(end)),
    exitCode: Number(exitCode),
    signal: Number(signal),
  };
}

/** Asked for an array, Slurm shows all its tasks. */
function recordOf(stdout: string, slurmJobId: number): string {
  const records = stdout
    .split(/^(?=JobId=\d+ )/m)
    .filter((record) => record.startsWith(`JobId=${slurmJobId} `));
  const [record] = records;
  if (record === undefined || records.length > 1) {
    throw new SyntaxError(`scontrol show job wrote ${records.length} records of job ${slurmJobId}`);
  }
  return record;
}

function onlyMatch(record: string, pattern: RegExp): [string, string] {
  const matches = [...record.matchAll(pattern)];
  const [match] = matches;
  if (match === undefined || matches.length > 1) {
    throw new SyntaxError(`scontrol show job wrote ${matches.length} lines like ${pattern.source}`);
  }
  return [match[1] ?? '', match[2] ?? ''];
}
