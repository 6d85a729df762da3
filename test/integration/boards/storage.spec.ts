import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BoardStorage } from '#core/nodes/board';
import type { NodeOperation } from '#core/operations/operation';
import { diskStep } from '#core/nodes/steps/storage/disk-step';
import { exportsStep } from '#core/nodes/steps/storage/exports-step';
import { fileSystemsStep } from '#core/nodes/steps/storage/file-systems-step';
import { packageCacheStep } from '#core/nodes/steps/storage/package-cache-step';
import {
  type Board,
  boardsDown,
  type BoardsLab,
  boardsUp,
  DISK_DEVICE,
} from '../../lab/boards/boards-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { SITE } from '../../fakes/site.ts';
import { existing } from '../../fakes/existing.ts';
import { type StepsOnBoards, stepsOnBoards } from './board-steps.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-storage`;
const STEPS = [diskStep, fileSystemsStep, exportsStep, packageCacheStep];
const STORAGE: BoardStorage = {
  disk: DISK_DEVICE,
  wipe: null,
  partitions: [
    { label: 'data', sizeMebibytes: 64, mountedAt: '/data' },
    { label: 'my-scratch', sizeMebibytes: 32, mountedAt: '/scratch' },
    { label: 'spare', sizeMebibytes: null, mountedAt: null },
  ],
  packageCache: true,
};
const ACCOUNT = { name: 'ada', uid: 3001, gid: 3001 };
/** An address that is in no subnet of the boards. */
const STRANGER = '192.0.2.9';

let lab: BoardsLab;
let boards: StepsOnBoards;
let store: Board;
let client: Board;

beforeAll(async () => {
  await boardsDown(DIRECTORY);
  lab = await boardsUp({
    dir: DIRECTORY,
    boards: [{ name: 'store', disk: { serial: 'FIRST' } }, { name: 'client' }],
  });
  boards = stepsOnBoards({ site: { ...SITE, subnet: lab.subnet, accounts: [ACCOUNT] } });
  store = lab.board('store');
  client = lab.board('client');
});
afterAll(() => boardsDown(DIRECTORY));

async function on(board: Board, script: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await board.run(['sh', '-euc', script, 'sh', ...args]);
  expect(exitCode, `${script}: ${stderr}`).toBe(0);
  return stdout.trim();
}

async function want(changes: Partial<BoardStorage>): Promise<void> {
  const board = existing(await boards.store.findByName('store'));
  await boards.store.change(board, { storage: { ...STORAGE, ...changes } });
}

const states = ({ steps }: NodeOperation): string[] =>
  steps.map(({ name, state }) => `${name} ${state}`).filter((line) => !/^(sign-in|facts) /.test(line));
const UNCHANGED = STEPS.map(({ name }) => `${name} unchanged`);

/** What a mount of a directory of the storage board says. */
async function mount(path: string, script: string): Promise<string> {
  const { stdout, stderr } = await client.run([
    ...[
      'sh',
      '-c',
      'mount -t nfs -o nfsvers=4.2,retry=0 "$1" /mnt && cd /mnt && eval "$2"; cd /; umount /mnt',
    ],
    ...['sh', `${store.address}:${path}`, script],
  ]);
  return (stdout + stderr).trim();
}

const PHOTOS = 'mount "$1" /mnt; cat /mnt/photo; umount /mnt';

describe('a storage board', () => {
  it('keeps what is on its disk, unless its serial number is named', async () => {
    await on(
      store,
      'mkfs.ext4 -q -L photos "$1"; mount "$1" /mnt; echo cat > /mnt/photo; umount /mnt',
      DISK_DEVICE,
    );
    const refused = await boards.enrol(store, 'store', STEPS, { roles: ['storage'], storage: STORAGE });
    expect(refused).toMatchObject({ state: 'failed', reason: { code: 'disk' } });
    expect(refused.reason?.message).toMatch(
      /\(serial number FIRST, 256 MiB\) is not empty: ext4 "photos" on loop\d+\. To destroy all that is on it, set "wipe" to "FIRST"\.$/,
    );
    await want({ wipe: 'OTHER' });
    const wrong = await boards.run('store', STEPS);
    expect(wrong.reason?.message).toContain('"wipe" names "OTHER", which is another disk.');
    await want({ wipe: 'FIRST' });
    await on(store, 'mount "$1" /boot/firmware', DISK_DEVICE);
    const system = await boards.run('store', STEPS);
    expect(system.reason?.message).toMatch(/^The board runs from /);
    await on(store, 'umount /boot/firmware; mount "$1" /media', DISK_DEVICE);
    const used = await boards.run('store', STEPS);
    expect(used.reason?.message).toMatch(/ is in use: loop\d+ is mounted at \/media\./);
    await on(store, 'umount /media');
    expect(await on(store, PHOTOS, DISK_DEVICE)).toBe('cat');
  });

  it('tells that there is no room for packages, and goes on where there is', async () => {
    await on(store, 'mount -t tmpfs -o size=64k tmpfs /var/cache/apt/archives');
    const full = await boards.run('store', STEPS);
    expect(full).toMatchObject({ state: 'failed', reason: { code: 'disk' } });
    expect(full.reason?.message).toContain("You don't have enough free space in /var/cache/apt/archives/.");
    expect(await on(store, PHOTOS, DISK_DEVICE)).toBe('cat');
    await on(store, 'umount /var/cache/apt/archives');
  });

  it('gets its partitions, file systems, exports and package cache', async () => {
    const done = await boards.run('store', STEPS);
    expect(done).toMatchObject({ state: 'done', reason: null });
    expect(states(done)).toEqual(STEPS.map(({ name }) => `${name} applied`));
    expect(
      await on(store, 'findmnt --noheadings --raw --output TARGET,FSTYPE,LABEL --source "$1"1', DISK_DEVICE),
    ).toBe('/srv/data ext4 data');
    expect(await on(store, 'exportfs -s | cut -d" " -f1')).toBe('/srv/data\n/srv/my-scratch');
    expect(await on(store, 'stat -c "%n %a %u:%g" /srv/* /srv/data/*')).toBe(
      [
        ...[
          '/srv/data 755 0:0',
          '/srv/my-scratch 755 0:0',
          '/srv/spare 755 0:0',
          '/srv/data/ada 750 3001:3001',
        ],
        ...['/srv/data/lost+found 700 0:0', '/srv/data/shared 1777 0:0'],
      ].join('\n'),
    );
  });

  it('serves the other boards, and nobody else', async () => {
    expect(await mount('/srv/data', 'echo kept > shared/file; ls')).toBe('ada\nlost+found\nshared');
    expect(await mount('/srv/spare', 'ls')).toMatch(/access denied by server/);
    const update =
      'apt-get -q -o APT::Update::Error-Mode=any -o Acquire::http::Proxy="http://$1:3142" update';
    await on(client, update, store.address);
    const ask =
      'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => $ARGV[0], PeerAddr => $ARGV[1], ' +
      'PeerPort => 3142) or die; print $s "GET / HTTP/1.0\\r\\n\\r\\n"; print scalar <$s> // "nothing"';
    await on(client, 'ip address add "$1/32" dev lo', STRANGER);
    await on(store, 'ip route add "$1/32" via "$2"', STRANGER, client.address);
    expect(await on(client, 'perl -e "$1" "$2" "$3"', ask, client.address, store.address)).toMatch(/^HTTP/);
    expect(await on(client, 'perl -e "$1" "$2" "$3"', ask, STRANGER, store.address)).not.toMatch(
      /^HTTP\/1.. 200/,
    );
  });

  it('is left as it is by the next enrolment, although "wipe" is still set', async () => {
    const again = await boards.run('store', STEPS);
    expect(states(again)).toEqual(UNCHANGED);
    expect(await boards.output(again)).toEqual([]);
    expect(await store.readFile('/srv/data/shared/file')).toBe('kept\n');
  });

  it('comes back by itself after a restart', async () => {
    await store.reboot();
    expect(await mount('/srv/data', 'cat shared/file')).toBe('kept');
    const check = await boards.run('store', STEPS, 'check');
    expect(states(check)).toEqual(UNCHANGED);
  });

  it('is mended where parts of it are gone', async () => {
    await on(
      store,
      'systemctl disable --quiet --now nfs-server apt-cacher-ng; rm -r /etc/exports.d /srv/data/shared; umount /srv/my-scratch; sed -i /UUID/d /etc/fstab',
    );
    expect(states(await boards.run('store', STEPS))).toEqual([
      ...['disk unchanged', 'file-systems applied', 'exports applied', 'package-cache applied'],
    ]);
    expect(await mount('/srv/my-scratch', 'ls')).toContain('shared');
  });

  it('does without its disk, serves nothing then, and takes no other one for it', async () => {
    await store.stop();
    store.exchangeDisk(null);
    await store.start();
    expect(await mount('/srv/data', 'ls')).toMatch(/reason given by server: No such file or directory/);
    const missing = await boards.run('store', STEPS);
    expect(missing.reason?.message).toBe(
      'There is no /dev/sda. The board has no disks. Plug the disk in, or name another one.',
    );
    await store.stop();
    store.exchangeDisk({ serial: 'SECOND' });
    await store.start();
    const swapped = await boards.run('store', STEPS);
    expect(swapped.reason?.message).toMatch(
      /is not what this board has offered until now: that was the disk FIRST\./,
    );
    await want({ wipe: 'SECOND' });
    // Killed after the first half of the table was written.
    await on(
      store,
      'echo label: gpt | sfdisk -q "$1"; echo preparing SECOND > /var/lib/bramble/storage-disk',
      DISK_DEVICE,
    );
    await want({ wipe: null });
    expect(await boards.run('store', STEPS)).toMatchObject({ state: 'done' });
    await store.stop();
    store.exchangeDisk({ serial: 'FIRST' });
    await store.start();
    await want({ wipe: 'FIRST' });
    expect(await boards.run('store', STEPS)).toMatchObject({ state: 'done' });
    expect(await mount('/srv/data', 'cat shared/file 2>&1; ls')).toMatch(/lost\+found/);
  });

  it('offers directories of its own disk where it has no other one', async () => {
    const storage = { ...STORAGE, disk: null };
    const steps = [diskStep, fileSystemsStep];
    const done = await boards.enrol(client, 'client', steps, { roles: ['storage'], storage });
    expect(states(done)).toEqual(['disk unchanged', 'file-systems applied']);
    expect(await on(client, 'stat -c "%n %a %u:%g" /srv/data/*')).toBe(
      '/srv/data/ada 750 3001:3001\n/srv/data/shared 1777 0:0',
    );
    expect(states(await boards.run('client', steps))).toEqual(['disk unchanged', 'file-systems unchanged']);
  });
});
