import { beforeEach, describe, expect, it } from 'vitest';
import { existing } from '../../../../test/fakes/existing.ts';
import { ManualClock } from '../../../../test/fakes/manual-clock.ts';
import { MemoryBoardStore } from '../../../../test/fakes/memory-board-store.ts';
import { plainSecretBox } from '../../../../test/fakes/plain-secret-box.ts';
import { SITE } from '../../../../test/fakes/site.ts';
import { ScriptedSlurmNodes } from '../../../../test/fakes/scripted-slurm-nodes.ts';
import { exited, ScriptedBoard } from '../../../../test/fakes/scripted-board.ts';
import type { Board } from './board.ts';
import type { BoardCommand, CommandEnd } from './board-connection.ts';
import { type BoardStep, StepProblem } from './board-step.ts';
import type { NodeOperation, NodeOperationKind } from '../operations/operation.ts';
import type { NewOperation } from '../operations/operation-store.ts';
import { RunOperation } from './run-operation.ts';
import { PROCEDURES } from './steps/all-procedures.ts';
import { sealSignIn } from './sealed-sign-in.ts';

const MANAGED = { privateKey: 'managed', publicKeyLine: 'ssh-ed25519 AAAA bramble' };
const FACTS = [
  ['model', 'Raspberry Pi 4 Model B Rev 1.4'],
  ['serial', '10000000abcdef01'],
  ['machineId', 'f00d'],
  ['hostname', 'raspberrypi'],
  ['architecture', 'arm64'],
  ['cpus', '4'],
  ['memory', '3884312'],
  ['pageSize', '4096'],
  ['os', 'debian 12'],
  ['kernel', '6.6.51+rpt-rpi-v8'],
  ['temperature', '48312'],
  ['throttled', 'throttled=0x50000'],
  ['time', '1772366401.5'],
]
  .map((line) => line.join('\t'))
  .join('\n');

let clock: ManualClock;
let store: MemoryBoardStore;
let machine: ScriptedBoard;
/** Whether the board is as the step wants it. */
let right: boolean;
let applied: number;
let hostname: BoardStep;

beforeEach(() => {
  clock = new ManualClock();
  store = new MemoryBoardStore();
  machine = new ScriptedBoard();
  right = false;
  applied = 0;
  hostname = {
    name: 'hostname',
    title: 'the host name',
    roles: null,
    check: async () =>
      right ? { kind: 'right', detail: 'node02' } : { kind: 'differs', detail: 'raspberrypi, not node02' },
    apply: async () => {
      applied += 1;
      right = true;
      return 'set to node02';
    },
  };
  machine.answer = (command) => authorize(command) ?? (isFacts(command) ? exited(0, FACTS) : undefined);
});

const isFacts = ({ argv }: BoardCommand) => argv[2]?.includes('get_throttled') === true;

function authorize({ argv }: BoardCommand): CommandEnd | undefined {
  if (argv[4] !== MANAGED.publicKeyLine) return undefined;
  machine.authorizedKeys.add(MANAGED.privateKey);
  return exited(0);
}

const begun = (id: string, boardId: string, subject: string): NewOperation<NodeOperation> => ({
  ...{ id, boardId, about: 'node', subject, kind: 'enrol', steps: [], createdAt: clock.now() },
  parameters: { reason: null, force: false },
});

async function enrol(changes: Partial<Board> = {}, kind: NodeOperationKind = 'enrol') {
  const board: Board = {
    id: 'brd_1',
    version: 1,
    name: 'node02',
    address: '10.0.0.3',
    sshPort: 22,
    signInUser: 'pi',
    hostKeySha256: null,
    roles: ['compute'],
    labels: {},
    network: null,
    storage: null,
    trial: kind === 'plan',
    sealedSignIn: sealSignIn(
      'brd_1',
      { secret: { password: 'raspberry' }, sudoPassword: 'raspberry' },
      plainSecretBox,
    ),
    sealedSudoPassword: null,
    facts: null,
    factsAt: null,
    createdAt: clock.now(),
    ...changes,
  };
  await store.insert(board, {
    id: 'op_1',
    about: 'node',
    subject: board.name,
    boardId: board.id,
    kind,
    parameters: { reason: null, force: false },
    steps: [],
    createdAt: clock.now(),
  });
}

const run = (steps: BoardStep[] = [hostname]) =>
  new RunOperation({
    boards: store,
    connector: machine,
    secrets: plainSecretBox,
    managedKey: async () => MANAGED,
    clock,
    procedures: { ...PROCEDURES, enrol: steps },
    site: SITE,
    slurm: new ScriptedSlurmNodes().ports,
    pause: async (ms) => clock.advance(ms),
  }).run('op_1');
const operation = async () => existing(await store.findOperation('op_1'));
const board = async () => existing(await store.find('brd_1'));
const states = async () => (await operation()).steps.map(({ name, state }) => [name, state]);

describe('an enrolment', () => {
  it('signs in, learns what the board is, and applies what differs', async () => {
    await enrol();
    await expect(run()).resolves.toBeUndefined();
    await expect(operation()).resolves.toMatchObject({ state: 'done', reason: null, lookAt: null });
    await expect(states()).resolves.toEqual([
      ['sign-in', 'applied'],
      ['facts', 'unchanged'],
      ['hostname', 'applied'],
    ]);
    expect(applied).toBe(1);
    expect(machine.open).toBe(0);
    await expect(board()).resolves.toMatchObject({
      hostKeySha256: machine.hostKeySha256,
      facts: {
        model: 'Raspberry Pi 4 Model B Rev 1.4',
        memoryMebibytes: 3793,
        temperatureCelsius: 48.312,
        throttled: ['under-voltage since the start', 'throttled since the start'],
      },
    });
  });

  it('forgets the password once the managed key works, and keeps the one of sudo only where it is asked for', async () => {
    await enrol();
    await run();
    await expect(board()).resolves.toMatchObject({ sealedSignIn: null, sealedSudoPassword: null });
    expect(machine.signedIn).toEqual(['password', 'key']);
  });

  it('keeps the password of sudo, sealed, where sudo asks for one', async () => {
    const { answer } = machine;
    machine.answer = (command) =>
      command.argv[0] === 'sudo' ? exited(1, '', 'sudo: a password is required') : answer(command);
    await enrol();
    await run();
    expect((await board()).sealedSudoPassword).toBe('board:brd_1:sudo|raspberry');
  });

  it('applies nothing the second time', async () => {
    await enrol();
    await run();
    await store.begin(begun('op_1', 'brd_1', 'node02'));
    await run();
    await expect(states()).resolves.toEqual([
      ['sign-in', 'unchanged'],
      ['facts', 'unchanged'],
      ['hostname', 'unchanged'],
    ]);
    expect(applied).toBe(1);
  });

  it('fails at a step that does not come right, and says what is not', async () => {
    hostname.apply = async () => 'nothing';
    await enrol();
    await run();
    await expect(operation()).resolves.toMatchObject({
      state: 'failed',
      reason: { code: 'hostname', message: expect.stringContaining('raspberrypi, not node02') as string },
      endedAt: clock.now(),
    });
    await expect(states()).resolves.toContainEqual(['hostname', 'failed']);
    expect(machine.open).toBe(0);
  });
});

describe('a check', () => {
  it('tells what differs and applies nothing', async () => {
    await enrol({}, 'check');
    await run();
    await expect(operation()).resolves.toMatchObject({ state: 'done' });
    await expect(states()).resolves.toContainEqual(['hostname', 'differs']);
    expect(applied).toBe(0);
  });
});

describe('a plan', () => {
  it('signs in with the password, tells what would be done, and changes nothing', async () => {
    await enrol({}, 'plan');
    await run();
    await expect(operation()).resolves.toMatchObject({ state: 'done' });
    await expect(states()).resolves.toEqual([
      ['sign-in', 'differs'],
      ['facts', 'unchanged'],
      ['hostname', 'differs'],
    ]);
    expect(applied).toBe(0);
    expect(machine.signedIn).toEqual(['password']);
    expect(machine.authorizedKeys.size).toBe(0);
    await expect(board()).resolves.toMatchObject({ hostKeySha256: null, facts: null });
  });
});

describe('probes', () => {
  const probed = (name: string, seen: () => string, fields: Partial<BoardStep> = {}): BoardStep => ({
    ...{ name, title: name, roles: null },
    probe: () => ({ script: `probe ${name}` }),
    check: (text) => (text === 'right' ? { kind: 'right', detail: text } : { kind: 'differs', detail: text }),
    apply: async () => seen(),
    ...fields,
  });
  let batches: string[][];
  let wanting: Set<string>;
  const one = probed('one', () => 'did one');
  const two = probed('two', () => 'did two');
  const three = probed('three', () => 'did three');

  beforeEach(() => {
    batches = [];
    wanting = new Set();
    for (const step of [one, two, three])
      step.apply = async () => {
        wanting.delete(step.name);
        return `did ${step.name}`;
      };
    const { answer } = machine;
    machine.answer = (command) => {
      const mark = /probe [0-9a-f-]{36}/.exec(command.input ?? '')?.[0];
      if (mark === undefined) return answer(command);
      const asked = [...(command.input ?? '').matchAll(/'probe (\w+)'/g)].map(([, name = '']) => name);
      batches.push(asked);
      const text = asked.map((name) => `${wanting.has(name) ? 'wanting' : 'right'}\n${mark} 0\n`).join('');
      return exited(0, text);
    };
  });

  it('of all steps are one question where nothing is to be done', async () => {
    await enrol();
    await run([one, two, three]);
    expect(batches).toEqual([['one', 'two', 'three']]);
    await expect(operation()).resolves.toMatchObject({ state: 'done' });
  });

  it('are asked again after something was applied', async () => {
    wanting.add('two');
    await enrol();
    await run([one, two, three]);
    expect(batches).toEqual([
      ['one', 'two', 'three'],
      ['two', 'three'],
    ]);
    expect((await states()).slice(2)).toEqual([
      ['one', 'unchanged'],
      ['two', 'applied'],
      ['three', 'unchanged'],
    ]);
  });
});

describe('signing in', () => {
  it('sends nothing to a board with another host key than the pinned one', async () => {
    await enrol({ hostKeySha256: `SHA256:${'b'.repeat(43)}` });
    await run();
    const { state, reason } = await operation();
    expect(state).toBe('failed');
    expect(reason?.message).toContain(machine.hostKeySha256);
    expect(reason?.message).toContain('b'.repeat(43));
    expect(machine.signedIn).toEqual([]);
  });

  it('fails with a wrong password, which is nowhere to be read', async () => {
    machine.password = 'other';
    await enrol();
    await run();
    await expect(operation()).resolves.toMatchObject({ state: 'failed', reason: { code: 'sign-in' } });
    expect(JSON.stringify(await operation())).not.toContain('raspberry"');
    expect((await board()).sealedSignIn).not.toBeNull();
  });

  it('waits for a board that is away, and gives up after five minutes', async () => {
    machine.reachable = false;
    await enrol();
    await expect(run()).resolves.toEqual({ afterMs: 10_000 });
    await expect(operation()).resolves.toMatchObject({ state: 'running', reason: { code: 'TriedAgain' } });
    clock.advance(5 * 60_000);
    await expect(run()).resolves.toBeUndefined();
    await expect(operation()).resolves.toMatchObject({ state: 'failed' });
  });

  it('goes on where the board comes back', async () => {
    machine.reachable = false;
    await enrol();
    await run();
    machine.reachable = true;
    await run();
    await expect(operation()).resolves.toMatchObject({ state: 'done', reason: null });
  });
});

describe('a board that is another one already', () => {
  it.each([
    ['its serial', { serial: '10000000abcdef01', machineId: 'beef' }, 'is the same board as "node03"'],
    ['its machine id', { serial: '10000000abcdef02', machineId: 'f00d' }, 'has the machine id of "node03"'],
  ])('is refused by %s', async (_, known, message) => {
    await enrol();
    await run();
    const { facts } = await board();
    if (facts === null) throw new Error('no facts');
    store = new MemoryBoardStore();
    await enrol();
    const twin = { ...(await board()), id: 'brd_2', name: 'node03', address: '10.0.0.4' };
    await store.insert({ ...twin, facts: { ...facts, ...known } }, begun('op_2', 'brd_2', 'node03'));
    await run();
    const { state, reason } = await operation();
    expect([state, reason?.code]).toEqual(['failed', 'facts']);
    expect(reason?.message).toContain(message);
  });
});

it('refuses a board that has taken the place of the one that was enrolled, until that is said', async () => {
  await enrol();
  await run();
  const { facts } = await board();
  if (facts === null) throw new Error('no facts');
  await store.change(await board(), { facts: { ...facts, serial: '10000000abcdef99' } });
  await store.begin(begun('op_1', 'brd_1', 'node02'));
  await run();
  await expect(operation()).resolves.toMatchObject({ state: 'failed', reason: { code: 'facts' } });
  expect((await operation()).reason?.message).toContain('10000000abcdef99');
  await store.change(await board(), { facts: null });
  await store.begin(begun('op_1', 'brd_1', 'node02'));
  await run();
  await expect(operation()).resolves.toMatchObject({ state: 'done' });
});

describe('being interrupted', () => {
  it('begins again and applies only what is left', async () => {
    await enrol();
    const check = hostname.check.bind(hostname);
    hostname.check = () => Promise.reject(new Error('this process was killed'));
    await expect(run()).rejects.toThrow('killed');
    hostname.check = check;
    await run();
    await expect(operation()).resolves.toMatchObject({ state: 'done' });
    expect(machine.signedIn).toEqual(['password', 'key', 'key']);
    expect(machine.open).toBe(0);
  });

  it('stops before the next step where it is to be cancelled', async () => {
    await enrol();
    const apply = hostname.apply.bind(hostname);
    hostname.apply = async (context) => {
      const current = await operation();
      await store.changeOperation(current, { cancelRequestedAt: clock.now() });
      return apply(context, '');
    };
    const never: BoardStep = {
      ...hostname,
      name: 'never',
      check: () => Promise.reject(new StepProblem('this step must not be reached')),
    };
    await expect(run([hostname, never])).resolves.toBeUndefined();
    await expect(operation()).resolves.toMatchObject({ state: 'cancelled', reason: { code: 'Cancelled' } });
  });

  it('does nothing where it is cancelled before it begins', async () => {
    await enrol();
    await store.changeOperation(await operation(), { cancelRequestedAt: clock.now() });
    await expect(run()).resolves.toBeUndefined();
    await expect(operation()).resolves.toMatchObject({ state: 'cancelled', lookAt: null });
    expect(machine.signedIn).toEqual([]);
  });

  it('leaves an operation alone that is over, or that another worker is at', async () => {
    await enrol();
    await run();
    const over = await operation();
    await expect(run()).resolves.toBeUndefined();
    await expect(operation()).resolves.toEqual(over);
  });
});
