import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../index.ts';
import {
  answerJson,
  answerProblem,
  type LocalServer,
  localServer,
  TEST_KEY,
} from '../testing/local-server.ts';
import { openEventStream, serverSentEvent, writeAndBreak } from '../testing/event-stream.ts';
import { RecordedTerminal } from '../testing/recorded-terminal.ts';
import { run } from './run.ts';

const NOW = '2031-04-05T06:07:08.000Z';
const HOST_KEY = `SHA256:${'a'.repeat(43)}`;
const ENROLL = ['enroll', 'node02', '10.0.0.3', '--role', 'compute', '--host-key', HOST_KEY];

const operation = (version: number, changes: Partial<Operation> = {}): Operation => ({
  id: 'op_01j00000000000000000000000',
  about: 'node',
  subject: 'node02',
  parameters: { reason: null, force: false },
  kind: 'enrol',
  state: 'running',
  finished: false,
  reason: null,
  steps: [],
  cancelRequestedAt: null,
  createdAt: NOW,
  startedAt: NOW,
  endedAt: null,
  version,
  ...changes,
});
const step = (name: string, state: Operation['steps'][number]['state'], detail: string | null) => ({
  name,
  title: name,
  state,
  detail,
  startedAt: NOW,
  endedAt: state === 'applying' ? null : NOW,
});

/** What a step has shown. */
const output = (seq: number, name: string, text: string) => ({ seq, step: name, text });

/** Takes what is to be done, and tells who watches of one after the other; the connection breaks behind each. */
const server = (...changes: (Operation | ReturnType<typeof output>)[]) =>
  localServer((request, response, count) => {
    if (request.method === 'POST') {
      answerJson(response, operation(1), 202);
      return;
    }
    openEventStream(response);
    const change = changes[Math.min(count, changes.length) - 1];
    if (change === undefined) return;
    if ('step' in change) {
      writeAndBreak(response, serverSentEvent('output', change, change.seq));
      return;
    }
    const end = change.finished ? serverSentEvent('end', { state: change.state }) : '';
    writeAndBreak(response, `${serverSentEvent('progress', change)}${end}`);
  });
const terminalFor = ({ url }: LocalServer, environment: Record<string, string> = {}) =>
  new RecordedTerminal({
    BRAMBLE_URL: url,
    BRAMBLE_API_KEY: TEST_KEY,
    BRAMBLE_BOARD_PASSWORD: 'raspberry',
    ...environment,
  });

let directory: string;
let keyFile: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bramble-cli-boards-'));
  keyFile = join(directory, 'id');
  await writeFile(keyFile, 'the key\n');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('enroll', () => {
  it('prints each step once it has ended, and then how it went', async () => {
    const board = await server(
      operation(2, { steps: [step('sign-in', 'applied', 'key installed'), step('hosts', 'applying', null)] }),
      operation(3, {
        ...{ state: 'done', finished: true, endedAt: NOW },
        steps: [step('sign-in', 'applied', 'key installed'), step('hosts', 'unchanged', '4 boards')],
      }),
    );
    const terminal = terminalFor(board);
    expect(await run(ENROLL, terminal)).toBe(0);
    expect(terminal.written).toBe(
      'sign-in        applied    key installed\nhosts          unchanged  4 boards\n',
    );
    expect(terminal.errors).toBe('bramble: node02: done\n');
    expect(board.requests[0]?.json()).toEqual({
      name: 'node02',
      address: '10.0.0.3',
      roles: ['compute'],
      labels: {},
      signIn: { password: 'raspberry', hostKey: HOST_KEY },
    });
  });

  it('shows the ranks that have answered, and all that steps write where that is asked for', async () => {
    const changes = [
      output(1, 'packages', 'Unpacking\n'),
      output(2, 'smoke-test', 'rank 0 of 2 on node02\nrank 1 of 2 on node03\u001b[2J\n'),
      operation(2, { state: 'done', finished: true }),
    ];
    const ranks = '  rank 0 of 2 on node02\n  rank 1 of 2 on node03[2J\n';
    const terminal = terminalFor(await server(...changes));
    expect(await run(ENROLL, terminal)).toBe(0);
    expect(terminal.written).toBe(ranks);
    const verbose = terminalFor(await server(...changes));
    expect(await run([...ENROLL, '--verbose'], verbose)).toBe(0);
    expect(verbose.written).toBe(`  Unpacking\n${ranks}`);
  });

  it('sends what the board is to have, and may only look', async () => {
    const board = await server(operation(2, { state: 'done', finished: true, kind: 'plan' }));
    const network = ['--static', '10.0.0.9/24', '--gateway', '10.0.0.1', '--dns', '10.0.0.2'];
    const storage = ['--disk', '/dev/sda', '--wipe', 'S3R14L', '--no-package-cache'];
    const partitions = ['--partition', 'home:100G:/home/shared', '--partition', 'scratch::/scratch'];
    const argv = [...ENROLL, '--role', 'storage', ...network, ...storage, ...partitions, '--dry-run'];
    expect(await run(argv, terminalFor(board))).toBe(0);
    expect(board.requests[0]?.query.get('dryRun')).toBe('true');
    expect(board.requests[0]?.json()).toMatchObject({
      network: { address: '10.0.0.9', prefixLength: 24, gateway: '10.0.0.1', nameServers: ['10.0.0.2'] },
      storage: {
        ...{ disk: '/dev/sda', wipe: 'S3R14L', packageCache: false },
        partitions: [
          { label: 'home', sizeMebibytes: 102_400, mountedAt: '/home/shared' },
          { label: 'scratch', mountedAt: '/scratch' },
        ],
      },
    });
  });

  it('sends a private key instead of a password, and all the rest', async () => {
    const board = await server(operation(2, { state: 'done', finished: true }));
    const argv = ['enroll', 'node01', '10.0.0.2', '--role', 'storage', '--role', 'compute'];
    const signIn = ['--accept-first-host-key', '--user', 'root', '--port', '2222', '--private-key', keyFile];
    expect(await run([...argv, ...signIn, '--label', 'rack=1'], terminalFor(board))).toBe(0);
    expect(board.requests[0]?.json()).toEqual({
      name: 'node01',
      address: '10.0.0.2',
      roles: ['storage', 'compute'],
      labels: { rack: '1' },
      signIn: { user: 'root', port: 2222, acceptFirstHostKey: true, privateKey: 'the key\n' },
    });
  });

  it('fails where the operation fails, and says why', async () => {
    const reason = { code: 'sign-in', message: '10.0.0.3 does not let pi in' };
    const board = await server(operation(2, { state: 'failed', finished: true, reason }));
    const terminal = terminalFor(board);
    expect(await run(ENROLL, terminal)).toBe(1);
    expect(terminal.errors).toBe('bramble: node02: failed – 10.0.0.3 does not let pi in\n');
  });

  it('prints the operation with --json, and nothing else', async () => {
    const done = operation(2, { state: 'done', finished: true, steps: [step('hosts', 'applied', null)] });
    const terminal = terminalFor(await server(done));
    expect(await run(['--json', ...ENROLL], terminal)).toBe(0);
    expect(JSON.parse(terminal.written)).toEqual(done);
    expect(terminal.errors).toBe('');
  });

  it('leaves the operation alone where somebody has seen enough', async () => {
    const board = await server(operation(2));
    const terminal = terminalFor(board);
    const running = run(ENROLL, terminal);
    await expect.poll(() => board.requests.length).toBeGreaterThan(1);
    terminal.pressControlC();
    expect(await running).toBe(130);
    expect(terminal.errors).toContain('it goes on as operation op_');
    expect(board.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it.each([
    ['no word about the host key', ENROLL.slice(0, 5), {}, '--host-key'],
    ['two words about the host key', [...ENROLL, '--accept-first-host-key'], {}, '--host-key'],
    ['no password', ENROLL, { BRAMBLE_BOARD_PASSWORD: '' }, 'BRAMBLE_BOARD_PASSWORD'],
    ['a key that is not there', [...ENROLL, '--private-key', '/nonexistent'], {}, '/nonexistent'],
    ['an unknown role', ['enroll', 'a', '10.0.0.1', '--role', 'master'], {}, 'role'],
    ['a gateway of no network', [...ENROLL, '--gateway', '10.0.0.1'], {}, '--static'],
    ['a network without its length', [...ENROLL, '--static', '10.0.0.9'], {}, '10.0.0.3/24'],
    ['a disk for nothing', [...ENROLL, '--disk', '/dev/sda'], {}, '--partition'],
    ['a size without a unit', [...ENROLL, '--partition', 'home:100:/home'], {}, '--partition'],
    ['no role', ['enroll', 'a', '10.0.0.1', '--host-key', HOST_KEY], {}, '--role'],
  ])('is refused with %s', async (_, argv, environment, word) => {
    const board = await server();
    const terminal = terminalFor(board, environment);
    expect(await run(argv, terminal)).toBe(2);
    expect(terminal.errors).toContain(word);
    expect(board.requests).toEqual([]);
  });
});

describe('operations', () => {
  it.each(['drain', 'resume', 'reboot', 'upgrade', 'decommission'])('%s says why', async (verb) => {
    const board = await server(operation(2, { state: 'done', finished: true }));
    expect(await run([verb, 'node02', '--reason', 'new fan', '--force'], terminalFor(board))).toBe(0);
    expect(board.requests[0]?.path).toBe(`/v1/admin/nodes/node02/${verb}`);
    expect(board.requests[0]?.json()).toEqual({ reason: 'new fan', force: true });
  });

  it('upgrade all boards with a role, one after the other, up to the first that fails', async () => {
    const boards = ['node01', 'node02', 'node03', 'node04'].map((name) => ({
      ...{ name, roles: name === 'node01' ? ['storage'] : ['compute'] },
    }));
    const watched: string[] = [];
    const board = await localServer(({ method, path }, response) => {
      if (method === 'POST') {
        watched.push(path.split('/')[4] ?? '');
        answerJson(response, operation(1, { subject: watched.at(-1) ?? '' }), 202);
      } else if (path === '/v1/admin/nodes') answerJson(response, { items: boards });
      else {
        const state = watched.length < 2 ? 'done' : 'failed';
        openEventStream(response);
        const change = operation(2, { subject: watched.at(-1) ?? '', state, finished: true });
        writeAndBreak(response, serverSentEvent('progress', change) + serverSentEvent('end', { state }));
      }
    });
    expect(await run(['upgrade', '--role', 'compute'], terminalFor(board))).toBe(1);
    expect(watched).toEqual(['node02', 'node03']);
    expect(await run(['upgrade'], terminalFor(board))).toBe(2);
    expect(await run(['upgrade', 'node02', '--role', 'compute'], terminalFor(board))).toBe(2);
  });

  it('are cancelled by their ids', async () => {
    const board = await localServer((_, response) => answerJson(response, operation(2), 202));
    const terminal = terminalFor(board);
    expect(await run(['cancel', operation(1).id], terminal)).toBe(0);
    expect(board.requests[0]?.path).toBe(`/v1/admin/operations/${operation(1).id}/cancel`);
    expect(terminal.written).toContain('is to be cancelled; it is running');
  });

  it('apply other storage, where a disk was refused without its serial', async () => {
    const board = await server(operation(2, { state: 'done', finished: true }));
    const argv = [
      'apply',
      'node01',
      '--disk',
      '/dev/sda',
      '--wipe',
      'S3R14L',
      '--partition',
      'home::/home/shared',
    ];
    expect(await run(argv, terminalFor(board))).toBe(0);
    expect(board.requests[0]?.json()).toEqual({
      storage: {
        ...{ disk: '/dev/sda', wipe: 'S3R14L', packageCache: true },
        partitions: [{ label: 'home', mountedAt: '/home/shared' }],
      },
    });
  });

  it('takes another board under the same name', async () => {
    const board = await server(operation(2, { state: 'done', finished: true }));
    const argv = ['apply', 'node02', '--replace', '--address', '10.0.0.30', '--accept-first-host-key'];
    expect(await run(argv, terminalFor(board))).toBe(0);
    expect(board.requests[0]?.json()).toEqual({
      signIn: { password: 'raspberry', acceptFirstHostKey: true },
      address: '10.0.0.30',
      replace: true,
    });
  });
});

describe('forget', () => {
  it('says that it is done, or why it cannot be', async () => {
    const forgotten = terminalFor(
      await localServer((_, response) => {
        response.writeHead(204).end();
      }),
    );
    expect(await run(['forget', 'node02'], forgotten)).toBe(0);
    expect(forgotten.errors).toBe('bramble: node02 is forgotten\n');
    const busy = terminalFor(
      await localServer((_, response) =>
        answerProblem(response, 409, 'operation_under_way', { detail: 'Something is being done already.' }),
      ),
    );
    expect(await run(['forget', 'node02'], busy)).toBe(1);
    expect(busy.errors).toContain('already');
  });
});
