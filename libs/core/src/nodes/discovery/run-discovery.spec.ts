import { beforeEach, describe, expect, it } from 'vitest';
import { CountingIds } from '../../../../../test/fakes/counting-ids.ts';
import { ManualClock } from '../../../../../test/fakes/manual-clock.ts';
import { MemoryBoardStore } from '../../../../../test/fakes/memory-board-store.ts';
import { MemoryDiscoveryStore } from '../../../../../test/fakes/memory-discovery-store.ts';
import { ManageDiscoveries } from './manage-discoveries.ts';
import type { NetworkScanner } from './network-scanner.ts';
import { RunDiscovery } from './run-discovery.ts';
import { SweepDiscoveries } from './sweep-discoveries.ts';

const SUBNET = '10.0.0.0/24';
const MACHINE = { address: '10.0.0.5', mac: 'b8:27:eb:00:00:01', sshBanner: null, hostKeySha256: null };

let clock: ManualClock;
let discoveries: MemoryDiscoveryStore;
let queued: string[];
let scanned: string[];
let queueIsAway: boolean;
const queue = {
  add: async (id: string) => {
    if (queueIsAway) throw new Error('no queue');
    queued.push(id);
  },
};

beforeEach(() => {
  clock = new ManualClock();
  discoveries = new MemoryDiscoveryStore();
  queued = [];
  scanned = [];
  queueIsAway = false;
});

const start = async (range = '10.0.0.4/30') => {
  const manage = new ManageDiscoveries({ discoveries, queue, clock, ids: new CountingIds(), subnet: SUBNET });
  return (await manage.start({ range })).id;
};
const runner = (scan: NetworkScanner['scan'], subnet = SUBNET) =>
  new RunDiscovery({ discoveries, clock, subnet, boards: new MemoryBoardStore(), scanner: { scan } });
const scan: NetworkScanner['scan'] = async (addresses) => {
  scanned.push(...addresses);
  return [MACHINE];
};

describe('a discovery', () => {
  it('asks the addresses of its range, and keeps who was found', async () => {
    const id = await start();
    clock.advance(1_000);
    await runner(scan).run(id);
    expect(scanned).toEqual(['10.0.0.5', '10.0.0.6']);
    expect(await discoveries.find(id)).toMatchObject({
      ...{ state: 'done', reason: null, lookAt: null, startedAt: clock.now(), endedAt: clock.now() },
      found: [{ ...MACHINE, vendor: 'Raspberry Pi', enrolledAs: null }],
    });
    await runner(scan).run(id);
    expect(scanned).toHaveLength(2);
  });

  it('fails in words where the network cannot be asked', async () => {
    const id = await start();
    await runner(() => Promise.reject(new Error('too many open files'))).run(id);
    expect(await discoveries.find(id)).toMatchObject({
      ...{ state: 'failed', reason: { code: 'scan_failed', message: 'too many open files' }, lookAt: null },
    });
  });

  it('asks nobody outside of the subnet that the worker knows', async () => {
    const id = await start();
    await runner(scan, '10.9.0.0/16').run(id);
    expect(scanned).toEqual([]);
    expect(await discoveries.find(id)).toMatchObject({ state: 'failed' });
  });

  it('is found again where the queue was away, and is left to who works on it', async () => {
    queueIsAway = true;
    const id = await start();
    queueIsAway = false;
    const sweeper = new SweepDiscoveries(discoveries, queue, clock);
    await sweeper.run();
    expect(queued).toEqual([id]);
    clock.advance(9_000);
    await runner(scan).putOff(id);
    clock.advance(9_000);
    await sweeper.run();
    expect(queued).toEqual([id]);
    clock.advance(1_000);
    await sweeper.run();
    expect(queued).toEqual([id, id]);
  });
});
