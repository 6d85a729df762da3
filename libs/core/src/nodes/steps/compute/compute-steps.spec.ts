import { beforeEach, describe, expect, it } from 'vitest';
import { enrolledBoard } from '../../../../../../test/fakes/operation-runs.ts';
import { exited } from '../../../../../../test/fakes/scripted-board.ts';
import { ALICE, SLURM_SETTINGS, slurmJob } from '../../../../../../test/fakes/scripted-slurm.ts';
import { ScriptedSlurmNodes } from '../../../../../../test/fakes/scripted-slurm-nodes.ts';
import { SITE } from '../../../../../../test/fakes/site.ts';
import { present, unknown } from '../../../vocabulary/answer.ts';
import type { Board, BoardFacts } from '../../board.ts';
import { type StepContext, StepProblem } from '../../board-step.ts';
import type { BoardConnection } from '../../board-connection.ts';
import type { Site } from '../../site.ts';
import { mountsStep } from './mounts-step.ts';
import { mpiStep } from './mpi-step.ts';
import { mungeStep } from './munge-step.ts';
import { nodeDefinition } from './node-definition.ts';
import { hasPassed, keepPassed, runSmokeTestJob } from './smoke-test-job.ts';
import { boardsAlike, smokeTestStep } from './smoke-test-step.ts';
import { slurmdStep } from './slurmd-step.ts';
import { defaultsFile, DROP_IN, slurmdOptions } from './slurmd-files.ts';

const FACTS: BoardFacts = {
  ...{
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    revision: null,
    disks: [],
    serial: '1',
    machineId: 'm',
    hostname: 'node02',
  },
  ...{ architecture: 'arm64', cpus: 4, memoryMebibytes: 3793, pageSizeBytes: 4096, os: 'debian 12' },
  ...{ kernel: '6.1', temperatureCelsius: null, throttled: null, clockSkewSeconds: 0 },
};
const KEY = Buffer.from('k'.repeat(32));
const SLURM = { host: '10.0.0.100', port: 6817, mungeKey: async () => KEY.toString('base64') };
const DEFINITION = nodeDefinition(FACTS);

let slurm: ScriptedSlurmNodes;
let notes: Map<string, string>;
let nowMs: number;
beforeEach(() => {
  slurm = new ScriptedSlurmNodes();
  notes = new Map();
  nowMs = 1_000_000;
});

interface Changes {
  board?: Partial<Board>;
  boards?: Board[];
  facts?: Partial<BoardFacts>;
  site?: Partial<Site>;
  run?: BoardConnection['run'];
}

function contextWith({ board: fields = {}, boards, facts = {}, site = {}, run }: Changes = {}): StepContext {
  const board = enrolledBoard(fields);
  const notReached = async () => Promise.reject(new Error('no command was expected'));
  const connection: BoardConnection = { hostKeySha256: '', run: run ?? notReached, close: () => {} };
  return {
    ...{ board, boards: boards ?? [board], facts: { ...FACTS, ...facts }, connection, slurm: slurm.ports },
    site: { ...SITE, slurm: SLURM, ...site },
    operation: { id: 'op_1', subject: board.name, kind: 'enrol', parameters: { reason: null, force: false } },
    now: () => new Date(nowMs),
    say: async () => {},
    note: (name) => notes.get(name),
    keepNote: async (name, value) => void notes.set(name, value),
    changeBoard: async () => {},
    pause: async (ms) => void (nowMs += ms),
    reconnect: async () => {},
    signInTo: async () => connection,
    publicKeyLine: async () => '',
  };
}

describe('compute boards without a Slurm', () => {
  it('get what does not need it', async () => {
    const context = contextWith({ site: { slurm: null } });
    for (const step of [mungeStep, slurmdStep, smokeTestStep])
      expect(await step.check('', context)).toEqual({ kind: 'right', detail: 'no Slurm is configured' });
  });
});

describe('munge', () => {
  const seen = async (key = KEY) =>
    `installed\nkey ${Buffer.from(await crypto.subtle.digest('SHA-256', key)).toString('hex')}\nmode 400 munge:munge\nActiveState=active\nUnitFileState=enabled\n`;

  it.each([
    ['installed', 'not installed'],
    ['key ', 'another key'],
    ['mode 400', 'read or change'],
    ['ActiveState', 'does not run'],
    ['UnitFileState', 'does not start'],
  ])('without its "%s" is not as it should be', async (line, detail) => {
    const lines = (await seen()).split('\n').filter((each) => !each.startsWith(line));
    expect(await mungeStep.check(lines.join('\n'), contextWith())).toMatchObject({
      kind: 'differs',
      detail: expect.stringContaining(detail) as unknown,
    });
    expect((await mungeStep.check(await seen(), contextWith())).kind).toBe('right');
  });

  it.each([
    [3.21, '3.2 s ahead'],
    [-120, '120.0 s behind'],
  ])('waits for a clock that is off by %d s', async (clockSkewSeconds, shown) => {
    const run = async () => exited(0, `${nowMs / 1000 + clockSkewSeconds}\n`);
    const check = async () => mungeStep.check('', contextWith({ facts: { clockSkewSeconds }, run }));
    await expect(check()).rejects.toMatchObject({
      passing: true,
      message: expect.stringContaining(shown) as unknown,
    });
  });
});

it('goes by the clock as it is now, where it has been set since the facts were read', async () => {
  const run = async () => exited(0, `${nowMs / 1000}\n`);
  const context = contextWith({ facts: { clockSkewSeconds: -600 }, run });
  expect(await mungeStep.check('', context)).toMatchObject({
    kind: 'differs',
    detail: 'munge is not installed',
  });
});

describe('slurmd', () => {
  const board = (definition: typeof DEFINITION | null = DEFINITION) => {
    const options = slurmdOptions(SLURM, definition);
    const lines = (key: string, text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => `${key} ${line}`);
    return [
      ...[
        'installed 22.05.8-4+deb12u3',
        'client 22.05.8-4+deb12u3',
        'ActiveState=active',
        'UnitFileState=enabled',
      ],
      ...['/usr/sbin/slurmd', '-D', '-s', ...options].map((word) => `argument ${word}`),
      ...lines('defaults', defaultsFile(options)),
      ...lines('drop-in', DROP_IN),
      '',
    ].join('\n');
  };
  const asWanted = { address: '10.0.0.3', flags: ['dynamic_norm'], ...DEFINITION };
  const detail = async (seen = board()) => slurmdStep.check(seen, contextWith());

  it('is right where board and Slurm have it as it should be', async () => {
    slurm.put('node02', asWanted);
    expect(await detail()).toEqual({ kind: 'right', detail: 'idle, 3603 MiB, rpi4, arm64, 4g' });
    slurm.put('node02', { ...asWanted, flags: ['dynamic_norm', 'drain'], reason: 'new fan' });
    expect(await detail()).toEqual({
      kind: 'right',
      detail: 'idle+dynamic_norm+drain (new fan): left as it is',
    });
  });

  it.each([
    [{ memoryMebibytes: 2000 }, 'Slurm has it with 2000 MiB'],
    [{ features: ['rpi4'] }, 'and the features rpi4'],
    [{ address: '10.0.0.99' }, 'Slurm has it at 10.0.0.99, not at 10.0.0.3'],
    [
      { state: 'down', reason: 'Node unexpectedly rebooted' },
      'down+dynamic_norm (Node unexpectedly rebooted)',
    ],
    [{ flags: ['dynamic_norm', 'not_responding'] }, 'not_responding'],
  ])('is not where Slurm has %o', async (fields, because) => {
    slurm.put('node02', { ...asWanted, ...fields });
    const finding = await detail();
    expect(finding.kind).toBe('differs');
    expect(finding.detail).toContain(because);
  });

  it('takes the node as slurm.conf has it, where it is named there', async () => {
    slurm.put('node02', { address: 'node02', flags: [], memoryMebibytes: 2000, features: [] });
    expect((await detail(board(null))).kind).toBe('right');
    expect((await detail(board())).detail).toContain('has other options');
  });

  it('that is too old to join by itself gets the line for slurm.conf', async () => {
    slurm.releaseAnswer = present('20.11.7');
    const seen = 'installed \ncandidate 20.11.7+really20.11.4-2\n';
    await expect(detail(seen)).rejects.toThrow(
      'NodeName=node02 NodeAddr=10.0.0.3 CPUs=4 RealMemory=3603 Feature=rpi4,arm64,4g State=UNKNOWN',
    );
    slurm.put('node02', { address: 'node02' });
    expect(await detail(seen)).toMatchObject({ kind: 'differs', detail: 'slurmd is not installed' });
  });

  it('waits for a Slurm that is away', async () => {
    slurm.releaseAnswer = unknown('no answer');
    await expect(detail()).rejects.toMatchObject({ passing: true });
  });
});

describe('mounts', () => {
  it('refuses a place that fstab gives to something else', () => {
    const context = contextWith({ site: { mounts: [{ server: 'nas', path: '/x', at: '/data' }] } });
    const check = () => mountsStep.check('fstab:\nUUID=1 /data ext4 defaults 0 2\n', context);
    expect(check).toThrow('mounts UUID=1 at /data, where nas:/x belongs');
    expect(check).toThrow(StepProblem);
  });
});

describe('mpi', () => {
  it('says that Debian 13 has none for 32 bits', () => {
    const check = (os: string) =>
      mpiStep.check('parameters:\n', contextWith({ facts: { architecture: 'armhf', os } }));
    expect(() => check('raspbian 13')).toThrow('has no Open MPI for armhf');
    expect(check('raspbian 12')).toMatchObject({ kind: 'differs' });
  });
});

describe('the boards that a smoke test is shared with', () => {
  it('are compute boards of the same architecture and system', () => {
    const other = (name: string, facts: Partial<BoardFacts>, fields: Partial<Board> = {}) =>
      enrolledBoard({ id: name, name, facts: { ...FACTS, ...facts }, ...fields });
    const boards = [
      enrolledBoard({ facts: FACTS }),
      other('same', { model: 'Raspberry Pi 5 Model B Rev 1.0' }),
      other('amd64', { architecture: 'amd64' }),
      other('armhf', { architecture: 'armhf' }),
      other('newer', { os: 'debian 13' }),
      other('storage', {}, { roles: ['storage'] }),
      other('trial', {}, { trial: true }),
      enrolledBoard({ id: 'unseen', name: 'unseen', facts: null }),
    ];
    expect(boardsAlike(contextWith({ boards })).map(({ name }) => name)).toEqual(['same']);
  });
});

describe('the job of a smoke test', () => {
  const TEST = { nodes: ['node02'], tasksPerNode: 2, partition: 'all' };
  const ended = (id: number, comment: string) =>
    slurm.jobs.shown.set(id, present(slurmJob({ id, comment, state: 'COMPLETED' })));
  const submitted = { kind: 'submitted', slurmJobId: 7, cluster: null } as const;
  const markOf = (index: number) =>
    /--comment=(\S+)/.exec(slurm.jobs.submissions[index]?.script ?? '')?.[1] ?? '';
  const run = () =>
    runSmokeTestJob(contextWith({ site: { accounts: [{ name: 'alice', uid: 1001, gid: 1001 }] } }), TEST);

  it('bears the id of the operation, and runs as an account of the boards', async () => {
    slurm.jobs.willAnswer(submitted);
    ended(7, '');
    const { outputPath } = await run();
    expect(markOf(0)).toMatch(/^op_1\/[0-9a-f-]{36}$/);
    expect(outputPath).toBe(`/var/tmp/bramble-smoke-test-${markOf(0).slice(5)}`);
    expect(slurm.jobs.submissions[0]?.account).toEqual(ALICE);
  });

  it('is not begun before Slurm has answered for the first time', async () => {
    slurm.jobs.settingsAnswer = unknown('slurmctld is down');
    await expect(run()).rejects.toMatchObject({
      message: 'Slurm does not answer: slurmctld is down',
      passing: true,
    });
    expect(slurm.jobs.submissions).toEqual([]);
    expect(notes.size).toBe(0);
  });

  it('is taken up again after an interruption', async () => {
    slurm.jobs.outcomes.push(() => Promise.reject(new Error('killed')));
    await expect(run()).rejects.toThrow('killed');
    slurm.jobs.willList(slurmJob({ id: 8, comment: markOf(0) }));
    ended(8, markOf(0));
    expect((await run()).job.id).toBe(8);
    expect(slurm.jobs.submissions).toHaveLength(1);
  });

  it('is submitted again once Slurm cannot have the first one any more', async () => {
    slurm.jobs.willAnswer({ kind: 'unclear', because: 'no answer' }, submitted);
    const begunAt = nowMs;
    await expect(run()).rejects.toMatchObject({ passing: true });
    expect(nowMs - begunAt).toBeGreaterThanOrEqual(SLURM_SETTINGS.submitCertaintyMs);
    ended(7, '');
    expect((await run()).job.id).toBe(7);
    expect(markOf(1)).not.toBe(markOf(0));
  });

  it('is cancelled where it does not start, with the reason of Slurm', async () => {
    slurm.jobs.willAnswer(submitted);
    slurm.jobs.shown.set(7, present(slurmJob({ id: 7, comment: '', reason: 'PartitionDown' })));
    await expect(run()).rejects.toThrow('PENDING (PartitionDown)');
    expect(slurm.jobs.cancelled).toEqual([[7, 'alice']]);
  });

  it('is refused in words, and needs an account', async () => {
    slurm.jobs.willAnswer({ kind: 'refused', code: 'X', message: 'no such partition' });
    await expect(run()).rejects.toThrow('no such partition');
    await expect(
      runSmokeTestJob(contextWith({ board: { name: 'node03' } }), { ...TEST, nodes: ['node03'] }),
    ).rejects.toThrow('neither an account of the boards nor "nobody"');
  });

  it('is not run again in an operation in which it was passed', async () => {
    const context = contextWith();
    expect(hasPassed(context, ['node02'])).toBe(false);
    await keepPassed(context, ['node02']);
    expect(hasPassed(context, ['node02'])).toBe(true);
    expect(hasPassed(context, ['node02', 'node03'])).toBe(false);
  });
});
