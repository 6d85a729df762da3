import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CommandResult } from './command-transport.ts';
import * as sbatch from './sbatch.ts';
import * as scancel from './scancel.ts';
import * as showConfig from './scontrol-show-config.ts';
import * as showJob from './scontrol-show-job.ts';
import * as showNode from './scontrol-show-node.ts';
import * as showPartition from './scontrol-show-partition.ts';
import * as squeue from './squeue.ts';

/** What a real Slurm 22.05 said: see test/lab. */
const RECORDED = new URL('../../../../test/lab/recorded/', import.meta.url);
const names = readdirSync(RECORDED).map((file) => file.replace(/\.txt$/, ''));

function recorded(name: string): Extract<CommandResult, { kind: 'exited' }> {
  const text = readFileSync(new URL(`${name}.txt`, RECORDED), 'utf8');
  const [, code, , stdout, stderr] = text
    .split(/^== (?:command|exit code|duration in ms|stdout|stderr)\n/m)
    .slice(1);
  return { kind: 'exited', code: Number(code), stdout: stdout ?? '', stderr: stderr ?? '' };
}

describe('recorded sbatch', () => {
  it.each([
    ['sbatch-accepted', 'submitted', undefined],
    ['sbatch-array-accepted', 'submitted', undefined],
    ['sbatch-unknown-partition', 'refused', 'InvalidPartition'],
    ['sbatch-time-over-partition-limit', 'refused', 'InvalidTimeLimit'],
    ['sbatch-too-many-nodes', 'refused', 'InvalidNodeCount'],
    ['sbatch-too-many-nodes-for-partition', 'refused', 'InvalidNodeCount'],
    ['sbatch-too-many-tasks', 'refused', 'TooManyCpus'],
    ['sbatch-too-many-cpus-per-task', 'refused', 'InvalidCpuCount'],
    ['sbatch-memory-too-large', 'refused', 'InvalidMemory'],
    ['sbatch-memory-per-cpu-too-large', 'refused', 'InvalidMemory'],
    ['sbatch-unknown-constraint', 'refused', 'InvalidFeature'],
    ['sbatch-unsatisfiable-constraint', 'refused', 'InvalidFeature'],
    ['sbatch-unknown-reservation', 'refused', 'InvalidReservation'],
    ['sbatch-unknown-gres', 'refused', 'InvalidGres'],
    ['sbatch-unknown-node', 'refused', 'InvalidNodeName'],
    ['sbatch-unknown-option', 'refused', 'InvalidOption'],
    ['sbatch-bad-time', 'refused', 'InvalidOption'],
    ['sbatch-array-too-large', 'refused', 'InvalidArray'],
    ['sbatch-empty-script', 'refused', 'EmptyScript'],
    ['sbatch-script-without-shebang', 'refused', 'InvalidScript'],
    ['sbatch-script-with-dos-lines', 'refused', 'InvalidScript'],
    ['sbatch-without-configuration', 'later', 'SlurmNotConfigured'],
    ['down-sbatch', 'later', 'ControllerUnreachable'],
    ['down-sbatch-under-timeout', 'later', 'ControllerUnreachable'],
    ['silent-sbatch', 'unclear', undefined],
  ])('%s: %s %s', (name, kind, code) => {
    expect(sbatch.parse(recorded(name))).toMatchObject(code === undefined ? { kind } : { kind, code });
  });
});

describe('recorded scancel', () => {
  it.each([
    ['scancel-ended-job-verbosely', 'absent'],
    ['scancel-another-users-job', 'unknown'],
    ['down-scancel', 'unknown'],
    ['silent-scancel', 'unknown'],
  ])('%s: %s', (name, kind) => {
    expect(scancel.parse(recorded(name))).toMatchObject({ kind });
  });
});

describe('recorded squeue', () => {
  const MARK = 'mark';
  /** As the adapter asks: a plain id, no name, and a mark ahead of each row. */
  const asked = (stdout: string) =>
    stdout.replace(/^.*$/gm, (line) => {
      const [id = '', state, reason, , userId, submit, start, end, nodeList, , , , , comment] =
        line.split('\x1f');
      if (state === undefined) return line;
      return [MARK, id.replace(/_.*/, ''), state, userId, submit, start, end, nodeList, reason, comment].join(
        '\x1f',
      );
    });
  const files = names.filter((name) => name.startsWith('squeue-') && recorded(name).stdout.includes('\x1f'));

  it.each(files)('%s', (name) => {
    const { stdout } = recorded(name);
    const jobs = squeue.parse(asked(stdout), MARK);
    expect(jobs).toHaveLength(stdout.split('\n').length - 1);
    for (const job of jobs) {
      expect(job.submitTime.getFullYear()).toBeGreaterThan(2020);
      expect(job.comment).not.toContain('null');
    }
  });
});

describe('recorded scontrol show job', () => {
  /** Recorded with `--oneliner`; the adapter asks for lines. */
  const asked = (stdout: string) =>
    stdout.replace(
      / (?=(?:UserId|JobState|Requeue|RunTime|SubmitTime|StartTime|NodeList|BatchHost|NumNodes|Comment|StdErr)=)/g,
      '\n   ',
    );
  const files = names.filter(
    (name) => /^scontrol-(?!show-)/.test(name) && recorded(name).stdout.startsWith('JobId='),
  );

  const read = (name: string) => {
    const { stdout } = recorded(name);
    const id = Number(/^JobId=(\d+)/.exec(stdout)?.[1]);
    return { id, answer: showJob.parse({ ...recorded(name), stdout: asked(stdout) }, id) };
  };

  it.each(files)('%s', (name) => {
    const { id, answer } = read(name);
    expect(answer).toMatchObject({ kind: 'present', value: { id, userId: 1001 } });
  });

  it.each([
    ['scontrol-exit-code-3', { state: 'FAILED', exitCode: 3, signal: 0 }],
    ['scontrol-script-killed-by-sigsegv', { state: 'FAILED', exitCode: 0, signal: 11 }],
    ['scontrol-time-limit', { state: 'TIMEOUT', exitCode: 0, signal: 15 }],
  ])('reads how %s ended', (name, value) => {
    expect(read(name).answer).toMatchObject({ kind: 'present', value });
  });

  it('says absent of a job that Slurm does not know, and unknown of one that it could not be asked about', () => {
    expect(showJob.parse(recorded('scontrol-show-unknown-job'), 999_999)).toEqual({ kind: 'absent' });
    expect(showJob.parse(recorded('down-scontrol-show-job'), 1)).toMatchObject({ kind: 'unknown' });
  });
});

describe('recorded inventory', () => {
  it('reads the nodes', () => {
    const nodes = showNode.parse(recorded('scontrol-show-node').stdout);
    expect(nodes.map(({ name }) => name)).toEqual(['node02', 'node03', 'node04', 'node05']);
    expect(nodes[0]).toMatchObject({
      cpus: 4,
      memoryMebibytes: 3800,
      features: ['rpi4', 'lab'],
      slurmVersion: '22.05.8',
    });
    expect(nodes[0]?.operatingSystem).toMatch(/^Linux \S+ #1 SMP PREEMPT_DYNAMIC @0$/);
    expect(showNode.parse(recorded('scontrol-show-node-down').stdout)).toMatchObject([
      { state: 'down', flags: ['not_responding'], reason: 'Not responding' },
    ]);
  });

  it('reads the partitions', () => {
    expect(showPartition.parse(recorded('scontrol-show-partition').stdout)).toEqual([
      {
        name: 'compute',
        isDefault: true,
        state: 'up',
        nodes: ['node02', 'node03', 'node04', 'node05'],
        nodeCount: 4,
        cpus: 16,
        maxTimeSeconds: 86_400,
        defaultTimeSeconds: 600,
      },
      {
        name: 'short',
        isDefault: false,
        state: 'up',
        nodes: ['node02', 'node03'],
        nodeCount: 2,
        cpus: 8,
        maxTimeSeconds: 120,
        defaultTimeSeconds: 60,
      },
      expect.objectContaining({ name: 'down', state: 'down' }),
    ]);
  });

  it('reads the configuration', () => {
    expect(showConfig.parse(recorded('scontrol-show-config').stdout)).toEqual({
      clusterName: 'bramble-lab',
      slurmVersion: '22.05.8',
      messageTimeoutMs: 10_000,
      minJobAgeMs: 300_000,
    });
  });
});
