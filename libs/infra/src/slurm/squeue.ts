import type { SlurmJob } from '#core/jobs/slurm-controller';
import { slurmPhase } from '#core/jobs/slurm-state';
import { parseSlurmTime } from './slurm-time.ts';

const SEPARATOR = '\x1f';

/**
 * The fields of a row. `%A` is a plain number for every task of an array and every component of a heterogeneous job,
 * where `%i` writes `12_[3-9%2]` or `7+1`. What may hold any text comes last; the name is not asked for.
 * @see https://slurm.schedmd.com/squeue.html#OPT_format
 */
const FIELDS = ['%A', '%T', '%U', '%V', '%S', '%e', '%N', '%r', '%k'];

/**
 * @param mark begins each row. Any user of the cluster may put line ends and separators into the comment of a job and
 *   so forge rows of other jobs; a mark that was drawn at random for this one call cannot be forged.
 */
export function command(mark: string): [string, ...string[]] {
  return ['squeue', '--all', '--states=all', '--noheader', `--format=${[mark, ...FIELDS].join(SEPARATOR)}`];
}

/** @throws SyntaxError where any row is not what was asked for */
export function parse(stdout: string, mark: string): SlurmJob[] {
  if (stdout === '') return [];
  const [before, ...rows] = `\n${stdout}`.split(`\n${mark}${SEPARATOR}`);
  if (before !== '')
    throw new SyntaxError(`squeue wrote something before its first row: ${quote(before ?? '')}`);
  return rows.map((row, index) => parseRow(index === rows.length - 1 ? row.replace(/\n$/, '') : row));
}

function parseRow(row: string): SlurmJob {
  const [id, state, userId, submit, start, end, nodeList, reason, ...comment] = row.split(SEPARATOR);
  if (id === undefined || state === undefined || userId === undefined || submit === undefined)
    throw fault(row);
  if (start === undefined || end === undefined || nodeList === undefined || reason === undefined)
    throw fault(row);
  if (!/^\d{1,10}$/.test(id) || !/^[A-Z_]+$/.test(state) || !/^\d{1,10}$/.test(userId)) throw fault(row);
  if (comment.length === 0) throw fault(row);
  const submitTime = parseSlurmTime(submit);
  if (submitTime === null) throw fault(row);
  return {
    id: Number(id),
    state,
    userId: Number(userId),
    submitTime,
    ...actualTimes(state, parseSlurmTime(start), parseSlurmTime(end)),
    nodeList: readText(nodeList),
    reason,
    comment: readText(comment.join(SEPARATOR)),
  };
}

/** Slurm also tells when it expects a waiting job to start, and a running one to end. */
export function actualTimes(
  state: string,
  start: Date | null,
  end: Date | null,
): { startTime: Date | null; endTime: Date | null } {
  const phase = slurmPhase(state);
  const hasEnded = phase === 'ended' || phase === 'ending';
  return { startTime: phase === 'running' || hasEnded ? start : null, endTime: hasEnded ? end : null };
}

const readText = (text: string): string => (text === '(null)' ? '' : text);
const quote = (text: string): string => JSON.stringify(text.slice(0, 200));
const fault = (row: string): SyntaxError =>
  new SyntaxError(`squeue wrote a row that is not understood: ${quote(row)}`);
