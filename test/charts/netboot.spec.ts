import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureDebianPackages } from '../../scripts/debian-packages.ts';
import { waitUntil } from '../lab/waiting.ts';
import type { Start } from './pi-firmware.ts';
import { PodOnThisMachine } from './pod.ts';
import type { PodSpec } from './pod.ts';
import { lintChart, only, renderChart } from './render.ts';
import { twoHosts } from './two-hosts.ts';
import type { TwoHosts } from './two-hosts.ts';

const run = promisify(execFile);
const FIRMWARE = fileURLToPath(new URL('pi-firmware.ts', import.meta.url));
const SERVER = '10.0.0.101';

const fromNetwork = {
  name: 'node02',
  serial: '10000000a1b2c3d4',
  mac: 'dc:a6:32:01:02:03',
  address: '10.0.0.112',
  boot: 'network',
};
const fromDisk = {
  name: 'node03',
  serial: '10000000a1b2c3d5',
  mac: 'dc:a6:32:01:02:04',
  address: '10.0.0.113',
  boot: 'disk',
};
const stranger = '52:54:00:12:34:56';
const withoutAddress = ({ address: _, ...board }: typeof fromNetwork) => board;

let directory: string;
let network: TwoHosts;

beforeAll(async () => {
  await ensureDebianPackages('boards', console.log);
  directory = mkdtempSync('/var/tmp/bramble-netboot-');
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'files', 'a1b2c3d4'), { recursive: true });
  mkdirSync(join(directory, 'files', 'a1b2c3d5'));
  writeFileSync(join(directory, 'files', 'a1b2c3d4', 'config.txt'), 'arm_64bit=1\n');
  writeFileSync(join(directory, 'files', 'a1b2c3d5', 'config.txt'), 'not for it\n');
  writeFileSync(join(directory, 'files', 'bootcode.bin'), 'firmware of a Pi 3');
  network = await twoHosts(`nb${process.pid}`, { first: [`${SERVER}/24`], second: ['10.0.0.250/24'] });
});

afterAll(async () => {
  await network.remove();
  rmSync(directory, { recursive: true, force: true });
});

async function serve(values: object): Promise<PodOnThisMachine> {
  const objects = await renderChart('netboot', { values });
  const spec = podSpec(objects);
  const pod = new PodOnThisMachine(directory, spec, objects, {
    network: network.first,
    hostname: 'kv-worker-0',
    address: SERVER,
    volumes: { files: join(directory, 'files') },
  });
  await pod.exec('dnsmasq', ['dnsmasq', '--test', '--conf-file=/etc/netboot/dnsmasq.conf']);
  await pod.runToEnd('offer-boards');
  const daemon = pod.start('dnsmasq');
  await waitUntil(
    'dnsmasq',
    () => pod.output('dnsmasq').includes('dnsmasq-tftp') || daemon.exitCode !== null,
    {
      onTimeout: () => pod.output('dnsmasq'),
    },
  );
  return pod;
}

async function startBoard(mac: string, path: string, server = ''): Promise<Start> {
  const argv = ['netns', 'exec', network.second, process.execPath, FIRMWARE, mac, path, server];
  return JSON.parse((await run('ip', argv)).stdout) as Start;
}

const podSpec = (objects: Awaited<ReturnType<typeof renderChart>>): PodSpec =>
  (only(objects, 'Deployment').spec as { template: { spec: PodSpec } }).template.spec;

describe('the chart netboot', () => {
  it('passes helm lint, with its defaults and with boards', async () => {
    await lintChart('netboot');
    await lintChart('netboot', { boards: [fromNetwork, fromDisk] });
  });

  it.each([
    [
      'a serial number that YAML took for a number',
      { boards: [{ ...fromNetwork, serial: 12345678 }] },
      'serial',
    ],
    ['a word for boot that nobody knows', { boards: [{ ...fromNetwork, boot: 'sd' }] }, 'boot'],
    ['a field that nobody knows', { dhcp: { range: '10.0.0.1' } }, 'range'],
    [
      'one address for two boards',
      { boards: [fromNetwork, { ...fromDisk, address: '10.0.0.112' }] },
      'node02 and node03 have the same address',
    ],
    [
      'two boards with one end of a serial number',
      { boards: [fromNetwork, { ...fromDisk, serial: '20000000a1b2c3d4' }] },
      'same serial number a1b2c3d4',
    ],
    ['a board without address', { boards: [withoutAddress(fromNetwork)] }, 'node02 needs an address'],
    ['an address beside another server', { dhcp: { mode: 'proxy' }, boards: [fromNetwork] }, 'set it there'],
    ['no volume', { tftp: { nfs: null } }, 'either existingClaim or nfs'],
  ])('refuses %s', async (_, values, message) => {
    await expect(renderChart('netboot', { values })).rejects.toThrow(message);
  });

  it('takes a claim in place of a server, and an image by its digest', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const values = { tftp: { existingClaim: 'boot-files', nfs: null }, image: { digest } };
    const spec = podSpec(await renderChart('netboot', { values }));
    expect(spec.volumes).toContainEqual({
      name: 'files',
      persistentVolumeClaim: { claimName: 'boot-files', readOnly: true },
    });
    expect(spec.containers).toMatchObject([{ image: `registry.home.lab/bramble/netboot:0.1.0@${digest}` }]);
  });

  it('as the only DHCP server, starts those boards that are to start from the network', async () => {
    const pod = await serve({ boards: [fromNetwork, fromDisk] });
    try {
      const started = await startBoard(fromNetwork.mac, 'a1b2c3d4/config.txt');
      expect(started.offer).toMatchObject({ address: '10.0.0.112', nextServer: SERVER });
      expect(started.offer?.options[43]).toContain('Raspberry Pi Boot   ');
      expect(started.offer?.options[66]).toBe(`${SERVER}\0`);
      expect(started.file).toBe('arm_64bit=1\n');
      expect((await startBoard(fromNetwork.mac, 'bootcode.bin')).file).toBe('firmware of a Pi 3');

      const other = await startBoard(fromDisk.mac, 'a1b2c3d5/config.txt', SERVER);
      expect(other.offer).toMatchObject({ address: '10.0.0.113' });
      expect(other.offer?.options[43]).not.toContain('Raspberry Pi Boot');
      expect(other.offer?.options).not.toHaveProperty('66');
      expect(other.file).toBeNull();

      const { offer } = await startBoard(stranger, 'a1b2c3d4/config.txt');
      expect(offer?.address).toMatch(/^10\.0\.0\.2\d\d$/);
      expect(offer?.options[43]).not.toContain('Raspberry Pi Boot');
    } finally {
      await pod.remove();
    }
  });

  it('gives addresses to its boards only where there is no pool', async () => {
    const pod = await serve({ dhcp: { pool: null }, boards: [fromNetwork, fromDisk] });
    try {
      expect((await startBoard(fromDisk.mac, 'none')).offer?.address).toBe('10.0.0.113');
      expect((await startBoard(stranger, 'none')).offer).toBeNull();
    } finally {
      await pod.remove();
    }
  });

  it('beside another DHCP server, only adds where to start from', async () => {
    const boards = [fromNetwork, fromDisk].map(withoutAddress);
    const pod = await serve({ dhcp: { mode: 'proxy' }, boards });
    try {
      const { offer, file } = await startBoard(fromNetwork.mac, 'a1b2c3d4/config.txt', SERVER);
      expect(offer).toMatchObject({ address: '0.0.0.0' });
      expect(offer?.options[43]).toContain('Raspberry Pi Boot   ');
      expect(file).toBe('arm_64bit=1\n');
      expect((await startBoard(fromDisk.mac, 'a1b2c3d5/config.txt')).offer).toBeNull();
    } finally {
      await pod.remove();
    }
  });
});
