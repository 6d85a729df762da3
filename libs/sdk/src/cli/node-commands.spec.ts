import { describe, expect, it } from 'vitest';
import type { Discovery, NodeEvent, ObservedNode } from '../index.ts';
import { answerJson, localServer, TEST_KEY } from '../testing/local-server.ts';
import { RecordedTerminal } from '../testing/recorded-terminal.ts';
import { run } from './run.ts';

const NOW = '2031-04-05T06:07:08.000Z';

const SLURM: NonNullable<ObservedNode['slurm']> = {
  ...{ address: '10.0.0.2', state: 'idle', flags: ['drain'], reason: 'fan', partitions: ['rpi'] },
  ...{ features: ['rpi4'], cpus: 4, cpusAllocated: 0, memoryMebibytes: 3792, memoryAllocatedMebibytes: 0 },
  ...{ architecture: 'aarch64', operatingSystem: null, slurmVersion: '22.05', bootedAt: null },
};
const BOARD: NonNullable<ObservedNode['board']> = {
  ...{ id: 'brd_1', address: '10.0.0.3', roles: ['compute'], labels: { rack: 'a' }, model: 'Raspberry Pi 5' },
  ...{
    serial: 'f00d',
    os: 'debian 13',
    kernel: '6.12',
    architecture: 'arm64',
    cpus: 4,
    memoryMebibytes: 8062,
  },
  ...{ pageSizeBytes: 16_384, temperatureCelsius: 81.4, throttled: ['under-voltage'] },
  health: {
    state: 'degraded',
    reasons: [{ code: 'hot', message: 'It is 81 °C hot.' }],
    observedAt: NOW,
    since: NOW,
    condition: {
      ...{
        temperatureCelsius: 81.4,
        throttled: ['under-voltage'],
        clockSkewSeconds: 0,
        clockSkewUncertaintySeconds: 0,
        rootUsedPercent: 12.5,
      },
      ...{
        rootFreeMebibytes: 20_000,
        load: 0.5,
        bootId: 'b',
        bootedAt: '2031-04-05T04:02:08.000Z',
        readAt: NOW,
      },
    },
  },
  drift: { state: 'drifted', steps: ['hosts', 'time'], at: NOW },
};
const node = (name: string, sections: Partial<ObservedNode>): ObservedNode => ({
  ...{ name, address: '10.0.0.2', slurm: null, board: null, kubernetes: null, observedAt: NOW },
  ...sections,
});
const EVENT: NodeEvent = {
  ...{ seq: 7, at: NOW, type: 'operation', state: 'failed', detail: 'no power' },
  operation: { id: 'op_1', kind: 'reboot' },
};

async function print(answers: Record<string, unknown>, ...argv: string[]): Promise<string> {
  const { url } = await localServer(({ path }, response) => answerJson(response, answers[path]));
  const terminal = new RecordedTerminal({ BRAMBLE_URL: url, BRAMBLE_API_KEY: TEST_KEY });
  expect(await run(argv, terminal)).toBe(0);
  return terminal.written;
}

const KUBERNETES: NonNullable<ObservedNode['kubernetes']> = {
  ...{ ready: false, unschedulable: true, roles: ['worker'], addresses: [], createdAt: NOW, observedAt: NOW },
  problems: [{ code: 'DiskPressure', message: 'The disk is nearly full.' }],
  ...{ kubeletVersion: 'v1.36.1+k3s1', architecture: 'arm64', osImage: null, kernel: null, cpus: 4 },
  memoryMebibytes: 3792,
};

describe('commands about nodes', () => {
  it('show what Kubernetes says, where there is one', async () => {
    const worker = node('kv-worker-0', { kubernetes: KUBERNETES });
    const answers = {
      '/v1/nodes': { items: [worker, node('node02', {})], observedAt: NOW },
      '/v1/nodes/kv-worker-0': worker,
      '/v1/nodes/kv-worker-0/events': { items: [] },
    };
    const lines = (await print(answers, 'nodes')).split('\n');
    expect(lines[1]).toMatch(/^kv-worker-0 .* not ready, cordoned$/);
    expect(lines[2]).toMatch(/^node02 .* -$/);
    expect(await print(answers, 'node', 'kv-worker-0')).toMatch(
      /^Kubernetes +not ready, cordoned, as of .*\n +The disk is nearly full\.\nkubelet +v1\.36\.1\+k3s1$/m,
    );
  });

  it('list nodes of Slurm, boards, and what is both', async () => {
    const items = [
      node('node01', { slurm: SLURM }),
      node('node02', { board: BOARD }),
      node('node03', { slurm: { ...SLURM, flags: [], reason: null }, board: BOARD }),
    ];
    const answers = { '/v1/nodes': { items, observedAt: NOW } };
    const lines = (await print(answers, 'nodes')).split('\n');
    expect(lines[1]).toMatch(/^node01 +idle\+drain +- +- +0\/4 +0\/3792 +rpi +rpi4 +fan$/);
    expect(lines[2]).toMatch(/^node02 +- +compute +degraded +4 +8062 +- +- +It is 81 °C hot\.$/);
    expect(lines[3]).toMatch(
      /^node03 +idle +compute +degraded +0\/4 +0\/3792 +rpi +rpi4 +It is 81 °C hot\.$/,
    );
    expect(JSON.parse(await print(answers, 'nodes', '--json'))).toEqual(answers['/v1/nodes']);
  });

  it('show one with what happened to it', async () => {
    const answers = {
      '/v1/nodes/node03': node('node03', { slurm: SLURM, board: BOARD }),
      '/v1/nodes/node03/events': { items: [EVENT] },
    };
    const written = await print(answers, 'node', 'node03');
    expect(written).toMatch(/^Slurm +idle\+drain, as of 2031-/m);
    expect(written).toMatch(/^labels +rack=a$/m);
    expect(written).toMatch(/^up +2h05m$/m);
    expect(written).toMatch(/^drift +hosts, time, as of/m);
    expect(written).toMatch(/reboot +failed +no power\n$/);
    expect(JSON.parse(await print(answers, 'node', 'node03', '--json'))).toMatchObject({ events: [EVENT] });
  });

  it('show one that Slurm has not told of', async () => {
    const written = await print(
      { '/v1/nodes/node02': node('node02', { observedAt: null }), '/v1/nodes/node02/events': { items: [] } },
      ...['node', 'node02'],
    );
    expect(written).toMatch(/^Slurm +has not answered yet$/m);
  });

  it('discover who is there', async () => {
    const id = 'dsc_01j00000000000000000000000';
    const discovery: Discovery = {
      ...{ id, range: '10.0.0.0/24', state: 'waiting', finished: false, reason: null, found: [] },
      ...{ createdAt: NOW, startedAt: null, endedAt: null },
    };
    const found = {
      ...{ address: '10.0.0.3', mac: 'dc:a6:32:00:00:01', vendor: 'Raspberry Pi', enrolledAs: 'node02' },
      ...{ sshBanner: 'SSH-2.0-OpenSSH_9.2p1', hostKeySha256: null },
    };
    const done = { ...discovery, state: 'done', finished: true, found: [found] };
    const written = await print(
      { '/v1/admin/discoveries': discovery, [`/v1/admin/discoveries/${id}`]: done },
      ...['discover', '10.0.0.0/24'],
    );
    expect(written).toMatch(
      /^10\.0\.0\.3 +dc:a6:32:00:00:01 +Raspberry Pi +node02 +- +SSH-2\.0-OpenSSH_9\.2p1$/m,
    );
  });
});
