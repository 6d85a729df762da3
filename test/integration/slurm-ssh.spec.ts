import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import { SlurmCliController } from '#infra/slurm/slurm-cli-controller';
import { SlurmCliInventory } from '#infra/slurm/slurm-cli-inventory';
import { SshTransport } from '#infra/slurm/ssh-transport';
import { SshConnection, type SshConnectionOptions } from '#infra/ssh/ssh-connection';
import { defaultLabDirectory } from '../lab/lab-directory.ts';
import { ODD_ARGUMENTS } from './odd-arguments.ts';
import { labDown, labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { slowSbatch } from './slow-sbatch.ts';
import { slurmControllerConformance } from './slurm-controller.conformance.ts';

/** Its controller and its sshd are stopped, so it is a lab of its own. */
const DIRECTORY = `${defaultLabDirectory()}-ssh`;
const TIMEOUT = { timeoutMs: 20_000 };

describe('Slurm on a login node', () => {
  let lab: SlurmLab;
  const connections: SshConnection[] = [];
  afterAll(() => connections.forEach((connection) => connection.close()));

  const connectionTo = (options: Partial<SshConnectionOptions> = {}) => {
    const { host, port, user, privateKeyFile, hostKeySha256 } = lab.ssh;
    const connection = new SshConnection({
      host,
      port,
      user,
      hostKeySha256,
      privateKey: { file: privateKeyFile },
      ...options,
    });
    connections.push(connection);
    return connection;
  };
  const transportTo = (options: Partial<SshConnectionOptions> = {}) =>
    new SshTransport({ connection: connectionTo(options), become: 'setpriv' });
  const firstAccount = async (controller: SlurmCliController): Promise<UnixAccount> => {
    const answer = await controller.account(lab.accounts.first);
    if (answer.kind !== 'present') throw new Error('the lab has no account');
    return answer.value;
  };
  const stdoutOf = (result: Awaited<ReturnType<SshTransport['run']>>) =>
    'stdout' in result ? result.stdout : result.because;

  slurmControllerConformance(async () => {
    lab = await labUp({ dir: DIRECTORY });
    const ways = { transport: transportTo(), binDir: lab.binDir, slurmConf: lab.slurmConf };
    const controller = new SlurmCliController(ways);
    await controller.settings();
    return { lab, controller, inventory: new SlurmCliInventory(ways), close: () => labDown(DIRECTORY) };
  });

  describe('the host key', () => {
    it('stops everything where it is not the pinned one, and names both', async () => {
      const pinned = `SHA256:${'A'.repeat(43)}`;
      const transport = transportTo({ hostKeySha256: pinned });
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const result = await transport.run(['id'], TIMEOUT);
        expect(result).toMatchObject({ kind: 'unreachable' });
        expect(stdoutOf(result)).toContain(pinned);
        expect(stdoutOf(result)).toContain(lab.ssh.hostKeySha256);
      }
    });
  });

  describe('the private key', () => {
    it('stays out of errors', async () => {
      const secret = readFileSync(lab.ssh.privateKeyFile, 'utf8');
      const broken = secret.replace(/[A-Za-z]/g, 'Q');
      for (const text of [broken, 'none at all', broken.slice(0, 90)]) {
        const result = await transportTo({ privateKey: { text } }).run(['id'], TIMEOUT);
        expect(result).toMatchObject({ kind: 'unreachable' });
        expect(stdoutOf(result)).not.toMatch(/QQQQ/);
      }
      expect(
        stdoutOf(await transportTo({ privateKey: { file: '/nonexistent' } }).run(['id'], TIMEOUT)),
      ).toContain('ENOENT');
      expect(stdoutOf(await transportTo({ privateKey: { text: secret } }).run(['id', '-u'], TIMEOUT))).toBe(
        '0\n',
      );
    });
  });

  describe('commands', () => {
    it('hand each argument to the program as it is', async () => {
      const transport = transportTo();
      const account = await firstAccount(controllerWith(transport));
      for (const options of [
        TIMEOUT,
        { ...TIMEOUT, account },
        { ...TIMEOUT, account, input: ODD_ARGUMENTS.join('') },
      ]) {
        const result = await transport.run(
          ['sh', '-c', 'cat; printf "%s\\0" "$V" "$@"', 'sh', ...ODD_ARGUMENTS],
          {
            ...options,
            env: { V: ODD_ARGUMENTS.join('') },
          },
        );
        const input = 'input' in options ? options.input : '';
        expect(stdoutOf(result)).toBe([input + ODD_ARGUMENTS.join(''), ...ODD_ARGUMENTS, ''].join('\0'));
      }
    });

    it('see a clean environment', async () => {
      const transport = transportTo();
      const account = await firstAccount(controllerWith(transport));
      const result = await transport.run(['env'], { ...TIMEOUT, account });
      expect(stdoutOf(result).trimEnd().split('\n').sort()).toEqual([
        `HOME=${account.home}`,
        'LANG=C.UTF-8',
        `LOGNAME=${account.name}`,
        'PATH=/usr/local/bin:/usr/bin:/bin',
        `USER=${account.name}`,
      ]);
    });

    it('are told apart by how they end', async () => {
      const transport = transportTo();
      expect(await transport.run(['sh', '-c', 'echo a; echo b >&2; exit 7'], TIMEOUT)).toEqual({
        kind: 'exited',
        code: 7,
        stdout: 'a\n',
        stderr: 'b\n',
      });
      expect(await transport.run(['sh', '-c', 'kill -KILL $$'], TIMEOUT)).toMatchObject({
        kind: 'signalled',
        signal: 'SIGKILL',
      });
      expect(await transport.run(['no-such-program'], TIMEOUT)).toMatchObject({ kind: 'exited', code: 127 });
      expect(await transport.run(['yes'], { ...TIMEOUT, maximumOutputBytes: 1000 })).toMatchObject({
        kind: 'flooded',
      });
      const mark = `${20_000 + process.pid}.5`;
      expect(await transport.run(['sleep', mark], { timeoutMs: 300 })).toMatchObject({ kind: 'timed_out' });
      expect(await transport.run(['sleep', mark], { timeoutMs: 300, input: 'x' })).toMatchObject({
        kind: 'timed_out',
      });
      await expect.poll(async () => (await lab.run(['pgrep', '-fx', `sleep ${mark}`])).stdout).toBe('');
    });

    it('share one connection, eight at once', async () => {
      const transport = transportTo();
      const meeting = mkdtempSync(join(tmpdir(), 'bramble-ssh-'));
      // Each waits until eight have come, and then says how many there are.
      const meet = `cd ${meeting}; touch $$; until [ "$(ls | wc -l)" -ge 8 ]; do sleep 0.05; done`;
      const results = await Promise.all(
        Array.from({ length: 8 }, () =>
          transport.run(['sh', '-c', `${meet}; grep PPid: /proc/$PPID/status`], TIMEOUT),
        ),
      );
      expect(new Set(results.map(stdoutOf)).size).toBe(1);
    });

    it('are not started where there is no channel for them in time', async () => {
      const transport = new SshTransport({
        connection: connectionTo({ maximumChannels: 1 }),
        become: 'setpriv',
        waitAtMostMs: 500,
      });
      const [first, second] = await Promise.all([
        transport.run(['sleep', '6'], TIMEOUT),
        transport.run(['id'], TIMEOUT),
      ]);
      expect(first).toMatchObject({ kind: 'exited', code: 0 });
      expect(second).toMatchObject({
        kind: 'unreachable',
        because: expect.stringContaining('1 channels were busy') as string,
      });
    });

    it('may not become another account where that was not allowed', async () => {
      const account = await firstAccount(controllerWith(transportTo()));
      const transport = new SshTransport({ connection: connectionTo(), become: 'none' });
      expect(await transport.run(['id'], { ...TIMEOUT, account })).toMatchObject({
        kind: 'unreachable',
        because: expect.stringContaining(`may not become ${account.name}`) as string,
      });
    });
  });

  describe('where the connection breaks', () => {
    it('a submission is unclear, and the next command finds a new connection', async () => {
      const controller = new SlurmCliController({ ...ways(transportTo()), binDir: slowSbatch(lab, 3) });
      await controller.settings();
      const account = await firstAccount(controller);
      const comment = `lost-${process.pid}`;
      const submitting = controller.submit({
        script: `#!/bin/sh\n#SBATCH --comment=${comment} --output=/dev/null\ntrue\n`,
        account,
      });
      await sleep(1_000);
      await lab.stopSshd();
      expect(await submitting).toMatchObject({
        kind: 'unclear',
        because: expect.stringContaining('its answer was lost') as string,
      });
      expect(await controller.list()).toMatchObject({
        kind: 'unknown',
        because: expect.stringContaining('ECONNREFUSED') as string,
      });
      await lab.startSshd();
      await expect.poll(async () => (await controller.list()).kind).toBe('present');
      const jobs = await controller.list();
      expect(
        jobs.kind === 'present' && jobs.value.filter((job) => job.comment === comment).length,
      ).toBeLessThanOrEqual(1);
    });

    it('an sbatch that is left behind does nothing later', async () => {
      const controller = new SlurmCliController({
        ...ways(transportTo()),
        binDir: slowSbatch(lab, 4),
        submitTimeoutMs: 2_000,
      });
      await controller.settings();
      const account = await firstAccount(controller);
      const comment = `orphan-${process.pid}`;
      const submitting = controller.submit({
        script: `#!/bin/sh\n#SBATCH --comment=${comment} --output=/dev/null\ntrue\n`,
        account,
      });
      await sleep(1_000);
      await lab.stopSshd();
      expect(await submitting).toMatchObject({ kind: 'unclear' });
      await lab.startSshd();
      await sleep(5_000);
      const jobs = await controller.list();
      expect(jobs.kind === 'present' && jobs.value.filter((job) => job.comment === comment)).toEqual([]);
    });

    it('a command never sees half of its input', async () => {
      const transport = transportTo();
      await transport.run(['true'], TIMEOUT);
      for (const delayMs of [0, 5, 20, 60]) {
        const file = join(lab.dir, `input-${delayMs}`);
        const input = 'x'.repeat(30_000_000);
        const running = transport.run(['sh', '-c', 'cat > "$1"', 'sh', file], { ...TIMEOUT, input });
        await sleep(delayMs);
        await lab.stopSshd();
        await running;
        await sleep(300);
        expect(existsSync(file) ? statSync(file).size : input.length).toBe(input.length);
        await lab.startSshd();
      }
    });

    it('a login node that is away is tried again, and commands say that they were never started', async () => {
      const transport = transportTo();
      await lab.stopSshd();
      for (let attempt = 0; attempt < 3; attempt += 1) {
        expect(await transport.run(['id'], TIMEOUT)).toMatchObject({
          kind: 'unreachable',
          because: expect.stringContaining('ECONNREFUSED') as string,
        });
      }
      await lab.startSshd();
      expect(await transport.run(['id', '-u'], TIMEOUT)).toMatchObject({ kind: 'exited', stdout: '0\n' });
    });
  });

  const ways = (transport: SshTransport) => ({ transport, binDir: lab.binDir, slurmConf: lab.slurmConf });
  const controllerWith = (transport: SshTransport) => new SlurmCliController(ways(transport));
});
