import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boardsPaths, defaultBoardsDirectory } from '../../lab/boards/boards-directory.ts';
import { boardsDown, boardsStatus, boardsUp } from '../../lab/boards/boards-lab.ts';
import type { Board, BoardsLab } from '../../lab/boards/boards-lab.ts';
import { cgroupsBeginningWith } from '../../lab/boards/cgroups.ts';
import { loopsBelow } from '../../lab/boards/disk.ts';
import { mountsBelow } from '../../lab/boards/mounts.ts';
import { linksOf } from '../../lab/boards/network.ts';
import { commandLine, runningProcesses } from '../../lab/processes.ts';
import { waitUntil } from '../../lab/waiting.ts';

const DIRECTORY = defaultBoardsDirectory();
const BOARDS = [
  { name: 'head' },
  {
    name: 'compute',
    raspberryPi: 'pi5',
    serial: '1000000012345678',
    vcgencmd: { get_throttled: 'throttled=0x50005' },
    disk: { serial: 'LAB0001', sizeMebibytes: 64 },
  },
] as const;

describe('virtual boards', () => {
  let lab: BoardsLab;
  let head: Board;
  let compute: Board;

  beforeAll(async () => {
    await boardsDown(DIRECTORY);
    lab = await boardsUp({ dir: DIRECTORY, boards: BOARDS });
    head = lab.board('head');
    compute = lab.board('compute');
  });
  afterAll(() => boardsDown(DIRECTORY), 600_000);

  const output = async (board: Board, ...argv: string[]) => {
    const { exitCode, stdout, stderr } = await board.run(argv, { timeoutMs: 120_000 });
    expect(exitCode, stderr).toBe(0);
    return stdout.trim();
  };

  it('answer over SSH, with the host key that they were made with', async () => {
    for (const board of [head, compute]) {
      expect(await overSsh(board, ['hostname'])).toMatchObject({ exitCode: 0, stdout: 'raspberrypi\n' });
      const pinned = { ...board, hostKeyFingerprint: `SHA256:${'A'.repeat(43)}` };
      await expect(overSsh(pinned, ['hostname'])).rejects.toThrow('verification failed');
    }
  });

  it('differ in what two cards differ in', async () => {
    const identities = await Promise.all(
      lab.boards.map(async (board) => [
        board.address,
        board.mac,
        board.serial,
        board.hostKeyFingerprint,
        await board.readFile('/etc/machine-id'),
        await board.bootId(),
      ]),
    );
    expect(new Set(identities.flat()).size).toBe(12);
  });

  it('look like the Raspberry Pis that were asked for', async () => {
    expect(await head.readFile('/sys/firmware/devicetree/base/model')).toBe(
      'Raspberry Pi 4 Model B Rev 1.4\0',
    );
    expect(await compute.readFile('/sys/firmware/devicetree/base/serial-number')).toBe('1000000012345678\0');
    expect(await compute.readFile('/proc/cpuinfo')).toMatch(/^Model\t\t: Raspberry Pi 5 /m);
    expect(await output(head, 'vcgencmd', 'get_throttled')).toBe('throttled=0x0');
    expect(await output(compute, 'vcgencmd', 'get_throttled')).toBe('throttled=0x50005');
    head.answerVcgencmd('measure_temp', "temp=81.2'C");
    expect(await output(head, 'vcgencmd', 'measure_temp')).toBe("temp=81.2'C");
    expect(await output(head, 'systemctl', 'is-system-running')).toBe('running');
  });

  it('see nothing of the machine that they run on', async () => {
    expect(await output(head, 'ls', '/sys/class/net')).toBe('eth0\nlo');
    expect(await head.readFile('/sys/class/net/eth0/address')).toBe(`${head.mac}\n`);
    expect(await output(head, 'lsblk', '--noheadings')).toBe('');
    for (const harmful of ['mknod /tmp/disk b 254 0', 'date --set=2000-01-01']) {
      expect(await head.run(harmful.split(' '))).toMatchObject({ exitCode: 1 });
      expect(await overSsh(head, ['sudo', '-S', harmful], `${head.password}\n`)).toMatchObject({
        exitCode: 1,
      });
    }
  });

  it('have the disk that is plugged in, as udev would show it', async () => {
    const shown = await output(compute, 'lsblk', '--noheadings', '--output', 'SERIAL,SIZE', '/dev/sda');
    expect(shown).toBe('LAB0001  64M');
    await output(compute, 'mkfs.ext4', '-q', '-L', 'lab', '/dev/sda');
    await waitUntil(
      'the link to the file system',
      async () => (await compute.run(['test', '-b', '/dev/disk/by-label/lab'])).exitCode === 0,
    );
    expect(await head.run(['test', '-e', '/dev/sda'])).toMatchObject({ exitCode: 1 });
  });

  it('let pi use sudo with the password only', async () => {
    const without = await overSsh(head, ['sudo', '-n', 'true']);
    expect(without).toMatchObject({ exitCode: 1, stderr: 'sudo: a password is required\n' });
    const withPassword = await overSsh(head, ['sudo', '-S', '-p', '""', 'id', '-u'], `${head.password}\n`);
    expect(withPassword).toMatchObject({ exitCode: 0, stdout: '0\n' });
  });

  it('have no way to the outside, and learn at once that a name is unknown', async () => {
    expect(await output(head, 'ip', '-4', 'route')).toMatch(/^10\.213\.\d+\.0\/24 dev eth0 [^\n]*$/);
    expect(await head.run(['ip', 'route', 'get', '192.0.2.1'])).toMatchObject({ exitCode: 2 });
    const name = await head.run(['getent', 'hosts', 'deb.debian.org']);
    expect(name.exitCode).toBe(2);
    // A resolver that is silent would be asked for ten seconds.
    expect(name.durationMs).toBeLessThan(8_000);
  });

  it('get package lists through the cache', async () => {
    await output(head, 'apt-get', '-o', 'APT::Update::Error-Mode=any', 'update');
    expect(await output(head, 'apt-cache', 'policy', 'slurmd')).toMatch(/Candidate: \d/);
  });

  it('come back from a reboot as another boot of the same board', async () => {
    const identity = async () => [await head.readFile('/etc/machine-id'), await head.bootId()];
    await output(head, 'touch', '/var/lib/kept', '/run/forgotten');
    const [machineBefore, bootBefore] = await identity();
    await head.reboot();
    const [machineAfter, bootAfter] = await identity();
    expect(machineAfter).toBe(machineBefore);
    expect(bootAfter).not.toBe(bootBefore);
    await head.readFile('/var/lib/kept');
    await expect(head.readFile('/run/forgotten')).rejects.toThrow('No such file');
    expect(await overSsh(head, ['true'])).toMatchObject({ exitCode: 0 });
  });

  it('are out of reach without the cable, and back with it', async () => {
    await compute.cutNetwork();
    expect(await compute.isReachable()).toBe(false);
    expect(await output(compute, 'cat', '/sys/class/net/eth0/operstate')).toBe('down');
    await compute.restoreNetwork();
    await waitUntil('the board to be reachable', () => compute.isReachable());
  });

  it('are healed by the next up, which leaves alone what runs', async () => {
    const bootBefore = await head.bootId();
    await compute.stop();
    expect(await boardsStatus(DIRECTORY)).toMatchObject({ healthy: false, boards: [{}, { isOn: false }] });
    await expect(compute.run(['true'])).rejects.toThrow('is not on');
    await boardsUp({ dir: DIRECTORY, boards: BOARDS });
    expect(await boardsStatus(DIRECTORY)).toMatchObject({ healthy: true });
    expect(await head.bootId()).toBe(bootBefore);
  });

  it('leave nothing behind, not even when nobody knows their processes any more', async () => {
    const paths = boardsPaths(DIRECTORY);
    expect(leftOf(DIRECTORY)).not.toEqual([]);
    for (const { name } of BOARDS) rmSync(join(paths.lab.pids, `board-${name}.json`));
    await boardsDown(DIRECTORY);
    expect(leftOf(DIRECTORY)).toEqual([]);
    await boardsDown(DIRECTORY);
    expect(await boardsStatus(DIRECTORY)).toMatchObject({ exists: false, boards: [] });
  });
});

/** Everything on this machine that bears the lab's mark. */
function leftOf(directory: string): string[] {
  const paths = boardsPaths(directory);
  const nspawn = '/run/systemd/nspawn';
  const remains = existsSync(nspawn) ? readdirSync(nspawn, { recursive: true, encoding: 'utf8' }) : [];
  return [
    ...runningProcesses()
      .map(({ pid }) => commandLine(pid))
      .filter((command) => command.includes(directory) || command.includes(paths.prefix)),
    ...mountsBelow(directory),
    ...linksOf(paths),
    ...loopsBelow(directory).map(({ loop }) => loop),
    ...cgroupsBeginningWith(paths.prefix),
    ...remains.filter((name) => name.includes(paths.prefix)),
    ...[directory, `${directory}.lock`].filter((path) => existsSync(path)),
  ];
}

interface SshAnswer {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Logs in with the password. Fails when the board shows another key than its own. */
function overSsh(board: Board, argv: readonly string[], input = ''): Promise<SshAnswer> {
  const client = new Client();
  return new Promise<SshAnswer>((resolve, reject) => {
    client.on('error', reject);
    client.on('ready', () => {
      client.exec(argv.join(' '), (error, channel) => {
        if (error) {
          reject(error);
          return;
        }
        let stdout = '';
        let stderr = '';
        channel.on('data', (data: Buffer) => (stdout += data.toString()));
        channel.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
        channel.on('close', (exitCode: number | null) => {
          resolve({ exitCode, stdout, stderr });
        });
        channel.end(input);
      });
    });
    client.connect({
      host: board.address,
      username: board.user,
      password: board.password,
      hostHash: 'sha256',
      hostVerifier: (hash: string) =>
        `SHA256:${Buffer.from(hash, 'hex').toString('base64').replace(/=+$/, '')}` ===
        board.hostKeyFingerprint,
    });
  }).finally(() => client.end());
}
