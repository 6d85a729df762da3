import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type {
  BoardConnection,
  BoardTarget,
  CommandEnd,
  ConnectOutcome,
  SignIn,
} from '#core/nodes/board-connection';
import { generateManagedKey } from '#infra/boards/managed-key';
import { SshBoardConnector } from '#infra/boards/ssh-board-connector';
import { ensureDebianPackages } from '../../scripts/debian-packages.ts';
import { commandLine } from '../lab/processes.ts';
import { ODD_ARGUMENTS } from './odd-arguments.ts';
import { BoardAccount } from './board-account.ts';
import { freePort } from '../lab/free-port.ts';
import { BoardSshd } from './board-sshd.ts';

const OTHER_KEY = `SHA256:${'A'.repeat(43)}`;

describe('a board over SSH', () => {
  const connector = new SshBoardConnector();
  let account: BoardAccount;
  let sshd: BoardSshd;
  const others: BoardSshd[] = [];
  const connections: BoardConnection[] = [];

  beforeAll(async () => {
    await ensureDebianPackages('ssh', () => {});
    await ensureDebianPackages('sudo', () => {});
    account = BoardAccount.make();
    // More sessions than Bramble may use at once are refused.
    sshd = await BoardSshd.start({ MaxSessions: '8' });
  });
  afterEach(() => {
    for (const connection of connections.splice(0)) connection.close();
  });
  afterAll(async () => {
    for (const server of [sshd, ...others]) await server.remove();
    account.remove();
  });

  const another = async (settings: Record<string, string>): Promise<BoardSshd> => {
    const server = await BoardSshd.start(settings);
    others.push(server);
    return server;
  };
  const targetOf = (signIn: Partial<SignIn> = {}, target: Partial<BoardTarget> = {}): BoardTarget => ({
    address: '127.0.0.1',
    port: sshd.port,
    hostKeySha256: sshd.hostKeySha256,
    signIn: { user: account.name, secret: { password: account.password }, sudoPassword: null, ...signIn },
    ...target,
  });
  const withoutSecrets = <Outcome extends CommandEnd | ConnectOutcome>(outcome: Outcome): Outcome => {
    expect(JSON.stringify(outcome)).not.toContain(account.password);
    return outcome;
  };
  const connect = async (target: BoardTarget): Promise<BoardConnection> => {
    const outcome = withoutSecrets(await connector.connect(target));
    if (outcome.kind !== 'connected') throw new Error(JSON.stringify(outcome));
    connections.push(outcome.connection);
    return outcome.connection;
  };
  const isRunning = (line: string) => spawnSync('/usr/bin/pgrep', ['-fx', line]).status === 0;

  describe('sign-in', () => {
    it('by password', async () => {
      const connection = await connect(targetOf());
      expect(await connection.run({ argv: ['id', '-un'] })).toEqual({
        kind: 'exited',
        code: 0,
        stdout: `${account.name}\n`,
        stderr: '',
      });
    });

    it('by a password that is asked for as a question', async () => {
      const asking = await another({ PasswordAuthentication: 'no', KbdInteractiveAuthentication: 'yes' });
      const target = { port: asking.port, hostKeySha256: asking.hostKeySha256 };
      const connection = await connect(targetOf({}, target));
      expect(await connection.run({ argv: ['id', '-un'] })).toMatchObject({ stdout: `${account.name}\n` });
      expect(
        withoutSecrets(await connector.connect(targetOf({ secret: { password: 'wrong' } }, target))),
      ).toEqual({ kind: 'refused', because: `it does not take this password for ${account.name}` });
      await expect.poll(() => asking.log.match(/Failed keyboard-interactive/g)).toHaveLength(1);
    });

    it('by the managed key', async () => {
      const { privateKey, publicKeyLine } = generateManagedKey('bramble of this test');
      sshd.authorize(publicKeyLine);
      const connection = await connect(targetOf({ secret: { privateKey } }));
      expect(await connection.run({ argv: ['id', '-un'] })).toMatchObject({ stdout: `${account.name}\n` });
    });

    it('is refused with a wrong password, after one attempt', async () => {
      const before = sshd.log.length;
      expect(await connector.connect(targetOf({ secret: { password: 'wrong' } }))).toEqual({
        kind: 'refused',
        because: `it does not take this password for ${account.name}`,
      });
      await expect.poll(() => sshd.log.slice(before).match(/Failed password/g)).toHaveLength(1);
    });

    it('is refused with a wrong password where the server hangs up over it', async () => {
      const strict = await another({ MaxAuthTries: '1' });
      expect(
        await connector.connect(
          targetOf(
            { secret: { password: 'wrong' } },
            { port: strict.port, hostKeySha256: strict.hostKeySha256 },
          ),
        ),
      ).toMatchObject({ kind: 'refused' });
    });

    it('is refused with another key, and with what is no key', async () => {
      const { privateKey, publicKeyLine } = generateManagedKey('nobody');
      expect(await connector.connect(targetOf({ secret: { privateKey } }))).toEqual({
        kind: 'refused',
        because: `it does not take this key for ${account.name}`,
      });
      for (const text of [account.password, publicKeyLine, privateKey.slice(0, 90)]) {
        expect(
          withoutSecrets(await connector.connect(targetOf({ secret: { privateKey: text } }))),
        ).toMatchObject({ kind: 'refused', because: expect.stringContaining('cannot be read') });
      }
    });

    it('is refused in words where the board takes no passwords, which are not sent then', async () => {
      const keysOnly = await another({ PasswordAuthentication: 'no' });
      expect(
        await connector.connect(targetOf({}, { port: keysOnly.port, hostKeySha256: keysOnly.hostKeySha256 })),
      ).toEqual({ kind: 'refused', because: `it takes no password for ${account.name}, only publickey` });
      expect(keysOnly.log).not.toMatch(/method (password|keyboard-interactive)/);
    });
  });

  describe('the host key', () => {
    it('is taken at the first use, and reported', async () => {
      const connection = await connect(targetOf({}, { hostKeySha256: null }));
      expect(connection.hostKeySha256).toBe(sshd.hostKeySha256);
      expect(connection.hostKeySha256).toMatch(/^SHA256:[\w+/]{43}$/);
    });

    it('stops everything where it is another, before anything is sent', async () => {
      const renewed = await another({});
      const pinned = renewed.hostKeySha256;
      const target = targetOf({}, { port: renewed.port, hostKeySha256: pinned });
      await connect(target);
      expect(renewed.log).toContain(`userauth-request for user ${account.name}`);
      await renewed.kill();
      renewed.replaceHostKey();
      await renewed.start();
      const before = renewed.log.length;
      expect(await connector.connect(target)).toEqual({
        kind: 'host_key_changed',
        shownSha256: renewed.hostKeySha256,
      });
      expect(renewed.hostKeySha256).not.toBe(pinned);
      const log = renewed.log.slice(before);
      expect(log).toContain('Connection from');
      expect(log).not.toContain('userauth-request');
      expect(log).not.toContain(account.name);
    });

    it('has to be a fingerprint', async () => {
      await expect(connector.connect(targetOf({}, { hostKeySha256: 'MD5:16:27' }))).rejects.toThrow(
        TypeError,
      );
      expect(await connector.connect(targetOf({}, { hostKeySha256: OTHER_KEY }))).toMatchObject({
        kind: 'host_key_changed',
      });
    });
  });

  describe('what is not there', () => {
    const servers: Server[] = [];
    afterAll(() => servers.forEach((server) => server.close()));

    const silentServer = async () => {
      const server = createServer().listen(0, '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
      return { port: (server.address() as AddressInfo).port, caller: once(server, 'connection') };
    };

    it('is unreachable', async () => {
      expect(await connector.connect(targetOf({}, { port: await freePort() }))).toMatchObject({
        kind: 'unreachable',
        because: expect.stringContaining('ECONNREFUSED'),
      });
    });

    it('is unreachable where it accepts and says nothing', async () => {
      const { port, caller } = await silentServer();
      expect(await connector.connect(targetOf({}, { port }), { timeoutMs: 300 })).toEqual({
        kind: 'unreachable',
        because: 'no SSH connection within 300 ms',
      });
      const [socket] = (await caller) as [Socket];
      socket.on('error', () => {}).resume();
      await expect.poll(() => socket.destroyed).toBe(true);
    });

    it('is given up at once when that is asked for, and not even tried afterwards', async () => {
      const { port, caller } = await silentServer();
      const controller = new AbortController();
      const connecting = connector.connect(targetOf({}, { port }), { signal: controller.signal });
      await caller;
      controller.abort();
      const outcome = { kind: 'unreachable', because: 'the attempt to connect was given up' };
      expect(await connecting).toEqual(outcome);
      expect(await connector.connect(targetOf(), { signal: controller.signal })).toEqual(outcome);
    });
  });

  describe('commands', () => {
    it('get each argument as it is, and one language', async () => {
      const connection = await connect(targetOf());
      const shown = await connection.run({ argv: ['printf', '%s\\0', ...ODD_ARGUMENTS] });
      expect(shown).toMatchObject({ kind: 'exited', code: 0, stdout: [...ODD_ARGUMENTS, ''].join('\0') });
      const environment = await connection.run({ argv: ['env'] });
      expect(environment).toMatchObject({ stdout: expect.stringContaining('\nLC_ALL=C\n') });
      await expect(connection.run({ argv: ['printf', 'a\0b'] })).rejects.toThrow(RangeError);
    });

    it('are told apart by how they end', async () => {
      const connection = await connect(targetOf());
      expect(await connection.run({ argv: ['sh', '-c', 'echo a; echo b >&2; exit 124'] })).toEqual({
        kind: 'exited',
        code: 124,
        stdout: 'a\n',
        stderr: 'b\n',
      });
      expect(await connection.run({ argv: ['no-such-program'] })).toMatchObject({
        kind: 'exited',
        code: 127,
      });
      expect(await connection.run({ argv: ['sh', '-c', 'echo a; kill -KILL $PPID'] })).toMatchObject({
        kind: 'broken',
        because: 'SIGKILL ended it',
        stdout: 'a\n',
      });
    });

    it('that run out of time are gone on the board, whether they listen to SIGTERM or not', async () => {
      const connection = await connect(targetOf());
      const mark = `${30_000 + process.pid}.5`;
      expect(await connection.run({ argv: ['sleep', mark], timeoutMs: 500 })).toEqual({
        kind: 'broken',
        because: 'it took longer than 500 ms',
        stdout: '',
        stderr: '',
      });
      expect(isRunning(`sleep ${mark}`)).toBe(false);
      const stubborn = ['sh', '-c', 'trap "" TERM; echo started; while :; do sleep 0.1; done', mark] as const;
      expect(await connection.run({ argv: stubborn, timeoutMs: 500 })).toMatchObject({
        kind: 'broken',
        because: 'it took longer than 500 ms',
        stdout: 'started\n',
      });
      expect(spawnSync('/usr/bin/pgrep', ['-f', `echo started.* ${mark}$`]).status).toBe(1);
    });

    it('that write too much are broken off, and end on the board', async () => {
      const connection = await connect(targetOf());
      const mark = `flood-${process.pid}`;
      for (const argv of [
        ['yes', mark],
        ['sh', '-c', `exec yes ${mark} >&2`],
      ] as const) {
        const end = await connection.run({ argv });
        expect(end).toMatchObject({ kind: 'broken', because: expect.stringContaining('wrote more than') });
        expect('stdout' in end && Math.max(end.stdout.length, end.stderr.length)).toBe(1024 * 1024);
      }
      await expect.poll(() => isRunning(`yes ${mark}`)).toBe(false);
    });

    it('read all of their input', async () => {
      const connection = await connect(targetOf());
      const input = 'äöü\n'.repeat(1024 * 150);
      expect(await connection.run({ argv: ['sha256sum'], input })).toMatchObject({
        stdout: `${createHash('sha256').update(input).digest('hex')}  -\n`,
      });
      expect(await connection.run({ argv: ['cat'] })).toMatchObject({ kind: 'exited', code: 0, stdout: '' });
    });

    it('share one connection, at most eight at once', async () => {
      const connection = await connect(targetOf());
      const ends = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          connection.run({ argv: ['sh', '-c', 'sleep 0.2; echo "$SSH_CONNECTION $1"', 'sh', String(index)] }),
        ),
      );
      const lines = ends.map((end) => ('stdout' in end ? end.stdout.trim().split(' ') : [end.because]));
      expect(lines.map((words) => words.at(-1))).toEqual(ends.map((_, index) => String(index)));
      expect(new Set(lines.map(([, clientPort]) => clientPort)).size).toBe(1);
    });

    it('are lost where the board dies, and the next ones were never sent', async () => {
      const dying = await another({});
      const connection = await connect(
        targetOf({}, { port: dying.port, hostKeySha256: dying.hostKeySha256 }),
      );
      const running = connection.run({ argv: ['sleep', '20'] });
      await connection.run({ argv: ['true'] });
      await dying.kill();
      expect(await running).toMatchObject({ kind: 'lost' });
      expect(await connection.run({ argv: ['true'] })).toMatchObject({ kind: 'unreachable' });
    });
  });

  describe('root', () => {
    const asRoot = async (
      sudoPassword: string | null,
      command: { argv: [string, ...string[]]; input?: string; timeoutMs?: number },
    ) => withoutSecrets(await (await connect(targetOf({ sudoPassword }))).run({ ...command, root: true }));
    const WHO = {
      argv: ['sh', '-c', 'id -un; cat; echo "$1" >&2', 'sh', 'a b'] as [string, ...string[]],
      input: 'in\nput',
    };
    const DONE = { kind: 'exited', code: 0, stdout: 'root\nin\nput', stderr: 'a b\n' };

    it('by sudo that asks for nothing', async () => {
      account.allow('ACCOUNT ALL=(ALL:ALL) NOPASSWD: ALL');
      expect(await asRoot(null, WHO)).toEqual(DONE);
      const shown = await asRoot(null, { argv: ['printf', '%s\\0', ...ODD_ARGUMENTS] });
      expect(shown).toMatchObject({ kind: 'exited', code: 0, stdout: [...ODD_ARGUMENTS, ''].join('\0') });
    });

    it('by sudo that asks for the password', async () => {
      account.allow('ACCOUNT ALL=(ALL:ALL) ALL');
      expect(await asRoot(account.password, WHO)).toEqual(DONE);
      expect(await asRoot(account.password, { argv: ['cat'] })).toMatchObject({ kind: 'exited', stdout: '' });
      const input = 'x\n'.repeat(512 * 1024);
      expect(await asRoot(account.password, { argv: ['sha256sum'], input })).toMatchObject({
        stdout: `${createHash('sha256').update(input).digest('hex')}  -\n`,
      });
    });

    it.each([
      { how: 'asks for none', rules: ['ACCOUNT ALL=(ALL:ALL) NOPASSWD: ALL'], asks: false },
      {
        how: 'remembers it',
        rules: ['ACCOUNT ALL=(ALL:ALL) ALL', 'Defaults:ACCOUNT timestamp_type=global'],
        asks: false,
      },
      {
        how: 'makes no terminal',
        rules: ['ACCOUNT ALL=(ALL:ALL) ALL', 'Defaults:ACCOUNT !use_pty'],
        asks: true,
      },
    ])('never gives the password to the command where sudo $how', async ({ rules, asks }) => {
      account.allow(...rules);
      const connection = await connect(targetOf({ sudoPassword: account.password }));
      await connection.run({ argv: ['sudo', '-S', '-p', '', '-v'], input: `${account.password}\n` });
      expect(await connection.run({ argv: ['sudo', '-n', 'true'] })).toMatchObject({ code: asks ? 1 : 0 });
      expect(withoutSecrets(await connection.run({ ...WHO, root: true }))).toEqual(DONE);
    });

    it('is refused with a wrong password, in words, after one attempt, and the command is not run', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'bramble-sudo-'));
      const mark = join(directory, 'mark');
      const log = join(directory, 'log');
      account.allow(
        'ACCOUNT ALL=(ALL:ALL) ALL',
        'Defaults:ACCOUNT timestamp_type=global',
        `Defaults:ACCOUNT logfile=${log}, loglinelen=0`,
      );
      for (const password of ['wrong', '']) {
        expect(
          await asRoot(password, { argv: ['touch', mark], input: `${account.password}\n`.repeat(5) }),
        ).toEqual({
          kind: 'broken',
          because: `sudo does not take this password for ${account.name}`,
          stdout: '',
          stderr: '',
          sudoRefused: true,
        });
      }
      expect(await asRoot(`${account.password}\nmore`, { argv: ['touch', mark] })).toMatchObject({
        because: 'a password for sudo is one line',
        sudoRefused: true,
      });
      expect(existsSync(mark)).toBe(false);
      expect(readFileSync(log, 'utf8').match(/ : 1 incorrect password attempt ; /g)).toHaveLength(2);
      rmSync(directory, { recursive: true });
    });

    it("is refused in sudo's own words otherwise", async () => {
      account.allow('ACCOUNT ALL=(ALL:ALL) ALL', 'Defaults:ACCOUNT timestamp_timeout=0');
      expect(await asRoot(null, WHO)).toMatchObject({
        because: 'sudo: a password is required',
        sudoRefused: true,
      });
      account.allow('ACCOUNT ALL=(ALL:ALL) /usr/bin/id');
      expect(await asRoot(account.password, WHO)).toMatchObject({
        because: expect.stringContaining('not allowed to execute'),
        sudoRefused: true,
      });
    });

    it('keeps the password out of what others see of the processes', async () => {
      account.allow('ACCOUNT ALL=(ALL:ALL) ALL');
      const connection = await connect(targetOf({ sudoPassword: account.password }));
      const mark = `${40_000 + process.pid}`;
      const running = connection.run({ argv: ['sleep', mark], root: true, timeoutMs: 3_000 });
      await expect.poll(() => isRunning(`sleep ${mark}`)).toBe(true);
      const seen = readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => [commandLine(Number(pid)), environmentOf(pid)].join('\n'));
      expect(seen.join('\n')).toContain(mark);
      expect(seen.join('\n')).not.toContain(account.password);
      expect(await running).toMatchObject({ kind: 'broken', because: 'it took longer than 3000 ms' });
      expect(isRunning(`sleep ${mark}`)).toBe(false);
    });

    it('ends what writes too much', async () => {
      account.allow('ACCOUNT ALL=(ALL:ALL) ALL');
      const mark = `root-flood-${process.pid}`;
      expect(await asRoot(account.password, { argv: ['yes', mark] })).toMatchObject({ kind: 'broken' });
      await expect.poll(() => isRunning(`yes ${mark}`)).toBe(false);
    });
  });
});

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
