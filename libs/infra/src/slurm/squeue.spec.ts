import { describe, expect, it } from 'vitest';
import { command, parse } from './squeue.ts';

const MARK = 'r4nd0mM4rk_-';
const row = (...fields: string[]) => `${[MARK, ...fields].join('\x1f')}\n`;
const running = (id: string, comment: string) =>
  row(id, 'RUNNING', '1001', '1795365719', '1795365722', '1795366322', 'node[02-03]', 'None', comment);

describe('squeue', () => {
  it('asks for all jobs of all partitions in one go', () => {
    expect(command(MARK)).toEqual([
      'squeue',
      '--all',
      '--states=all',
      '--noheader',
      `--format=${MARK}\x1f%A\x1f%T\x1f%U\x1f%V\x1f%S\x1f%e\x1f%N\x1f%r\x1f%k`,
    ]);
  });

  it('reads no jobs', () => {
    expect(parse('', MARK)).toEqual([]);
  });

  it('reads a running job, whose end is only expected', () => {
    expect(parse(running('15', 'job_01k'), MARK)).toEqual([
      {
        id: 15,
        state: 'RUNNING',
        reason: 'None',
        comment: 'job_01k',
        userId: 1001,
        nodeList: 'node[02-03]',
        submitTime: new Date(1795365719_000),
        startTime: new Date(1795365722_000),
        endTime: null,
      },
    ]);
  });

  it('does not take the time at which a waiting job is expected to start for its start', () => {
    const [job] = parse(
      row('34', 'PENDING', '1001', '1795365723', '1795366322', '1795366922', '', 'Resources', '(null)'),
      MARK,
    );
    expect(job).toMatchObject({ startTime: null, endTime: null, nodeList: '', comment: '' });
  });

  it('reads the times of an ended job, and a reason with a comma', () => {
    const [job] = parse(
      row(
        '40',
        'CANCELLED',
        '0',
        '1795365750',
        '1795365751',
        '1795365752',
        '',
        'ReqNodeNotAvail, UnavailableNodes:node05',
        '',
      ),
      MARK,
    );
    expect(job).toMatchObject({
      reason: 'ReqNodeNotAvail, UnavailableNodes:node05',
      startTime: new Date(1795365751_000),
      endTime: new Date(1795365752_000),
    });
  });

  it.each(['a|b c', 'é, "q" \\', 'x\x1fy', 'two\nlines', '\n', 'ends with a line end\n', '%A %i'])(
    'keeps the comment %j as it is',
    (comment) => {
      expect(parse(running('1', comment) + running('2', 'next'), MARK).map((job) => job.comment)).toEqual([
        comment,
        'next',
      ]);
    },
  );

  it('takes a row that somebody put into a comment for a comment', () => {
    const forged = ['9', 'COMPLETED', '1001', '1', '1', '1', 'node02', 'None', 'job_of_somebody_else'].join(
      '\x1f',
    );
    const jobs = parse(running('1', `harmless\n${forged}\nm4rk\x1f${forged}`), MARK);
    expect(jobs.map(({ id }) => id)).toEqual([1]);
  });

  it('keeps states that it does not know', () => {
    const [job] = parse(row('1', 'POWER_UP_NODE', '0', '1', '2', '3', '', 'None', ''), MARK);
    expect(job).toMatchObject({ state: 'POWER_UP_NODE', startTime: null, endTime: null });
  });

  it.each([
    ['something before the first row', `Welcome!\n${running('1', '')}`],
    ['rows with another mark', running('1', '').replace(MARK, 'other')],
    ['an id that is no number', running('12_[3-9%2]', '')],
    ['a missing field', `${[MARK, '1', 'RUNNING', '1001', '1', '2', '3', 'node02', 'None'].join('\x1f')}\n`],
    ['a state that is none', row('1', 'run ning', '1001', '1', '2', '3', '', 'None', '')],
    ['a time of day', row('1', 'RUNNING', '1001', '2026-11-22T16:42:02', '2', '3', '', 'None', '')],
    ['no submit time', row('1', 'RUNNING', '1001', 'N/A', '2', '3', '', 'None', '')],
    ['a row that was cut off', running('1', '').slice(0, 30)],
  ])('refuses %s', (_, stdout) => {
    expect(() => parse(stdout, MARK)).toThrow(SyntaxError);
  });
});
