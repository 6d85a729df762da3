import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterSnapshot, SlurmNode } from '#core/cluster/cluster';
import type { Board } from '#core/nodes/board';
import type { BoardHealth } from '#core/nodes/inventory/board-health';
import type { OperationPatch } from '#core/operations/operation';
import { existing } from '../../fakes/existing.ts';
import { type RunningApi, type SignedIn, startApi } from './running-api.ts';

let api: RunningApi;
let admin: SignedIn;
let viewer: SignedIn;

beforeAll(async () => {
  api = await startApi({ BRAMBLE_BOARD_SUBNET: '10.0.0.0/16' });
  admin = await api.signIn('admin');
  viewer = await api.signIn('viewer');
});
afterAll(() => api.close());

const SECRET = 'correct horse';
const slurmNode = (name: string): SlurmNode => ({
  ...{ name, address: name, state: 'idle', flags: [], reason: null, partitions: ['all'], features: [] },
  ...{ cpus: 4, cpusAllocated: 0, memoryMebibytes: 3600, memoryAllocatedMebibytes: 0 },
  ...{ architecture: 'aarch64', operatingSystem: 'Linux', slurmVersion: '22.05.8', bootedAt: null },
});
const snapshot = (...names: string[]): ClusterSnapshot => ({
  ...{ name: 'pis', slurmVersion: '22.05.8', partitions: [], jobsPending: 0, jobsRunning: 0 },
  nodes: names.map(slurmNode),
});

async function enrol(n: number): Promise<Board> {
  await admin.http
    .post('/v1/admin/nodes')
    .send({
      ...{ name: `node0${n}`, address: `10.0.0.${n + 1}`, roles: ['compute'], labels: { rack: 'a' } },
      signIn: { user: 'installer', password: SECRET, acceptFirstHostKey: true },
    })
    .expect(202);
  return existing(await api.platform.boards.findByName(`node0${n}`));
}
/** Ends what is under way. */
async function end(node: string, patch: OperationPatch): Promise<void> {
  const [operation] = await api.platform.boards.operationsOf('node', node, 1);
  await api.platform.boards.changeOperation(existing(operation), {
    ...{ endedAt: new Date(), lookAt: null },
    ...patch,
  });
}
const healthOf = (boardId: string, changes: Partial<BoardHealth> = {}): BoardHealth => ({
  ...{ boardId, state: 'degraded', reasons: [{ code: 'hot', message: 'It is hot "ä".' }], failures: 0 },
  ...{ observedAt: new Date(), since: new Date(), condition: null, nextLookAt: new Date() },
  ...changes,
});
const names = (body: { items: { name: string }[] }) => body.items.map(({ name }) => name);

describe('nodes', () => {
  it('are the boards alone while Slurm has not answered', async () => {
    await enrol(1);
    const { body } = await viewer.http.get('/v1/nodes').expect(200);
    expect(body).toMatchObject({ observedAt: null, items: [{ name: 'node01', slurm: null }] });
  });

  it('are those of Slurm and the boards, each once, without secrets', async () => {
    const board = await enrol(2);
    await api.platform.observations.record(snapshot('node02', 'node09'), new Date());
    await api.platform.inventory.recordHealth(healthOf(board.id));
    const { body } = await viewer.http.get('/v1/nodes').expect(200);
    expect(names(body)).toEqual(['node01', 'node02', 'node09']);
    expect(body.items[1]).toMatchObject({
      address: '10.0.0.3',
      slurm: { state: 'idle', cpus: 4 },
      board: {
        ...{ id: board.id, roles: ['compute'], labels: { rack: 'a' }, model: null },
        health: { state: 'degraded', reasons: [{ code: 'hot', message: 'It is hot "ä".' }] },
        drift: { state: 'unknown' },
      },
    });
    expect(body.items[2].board).toBeNull();
    expect(body.observedAt).not.toBeNull();
    for (const secret of [SECRET, 'installer', 'sealed']) expect(JSON.stringify(body)).not.toContain(secret);
    const one = await viewer.http.get('/v1/nodes/node02').expect(200);
    expect(one.body).toEqual({ ...body.items[1], observedAt: body.observedAt });
    await viewer.http.get('/v1/nodes/node77').expect(404);
  });

  it('tell whether a board is as it is to be, by the last look that has ended', async () => {
    await enrol(3);
    const drift = async () => (await viewer.http.get('/v1/nodes/node03').expect(200)).body.board.drift;
    await end('node03', { state: 'done' });
    expect(await drift()).toMatchObject({ state: 'inSync', steps: [] });
    await admin.http.post('/v1/admin/nodes/node03/check').expect(202);
    expect(await drift()).toMatchObject({ state: 'inSync', steps: [] });
    const [check] = await api.platform.boards.operationsOf('node', 'node03', 1);
    const steps = existing(check).steps.map((step, index) =>
      index === 2 ? { ...step, state: 'differs' as const } : step,
    );
    await end('node03', { state: 'done', steps });
    expect(await drift()).toMatchObject({ state: 'drifted', steps: [existing(steps[2]).name] });
  });

  it('keep the health of a board until it is forgotten', async () => {
    const { id } = await enrol(4);
    await end('node04', { state: 'failed' });
    const condition = {
      ...{
        temperatureCelsius: 48.3,
        throttled: [],
        clockSkewSeconds: 0,
        clockSkewUncertaintySeconds: 0,
        rootUsedPercent: 1,
        load: 0.5,
      },
      ...{ rootFreeMebibytes: 5, bootId: 'b', bootedAt: new Date().toISOString() },
      readAt: new Date().toISOString(),
    };
    const first = healthOf(id);
    const second = healthOf(id, { state: 'healthy', reasons: [], condition, failures: 0 });
    for (const health of [first, second]) await api.platform.inventory.recordHealth(health);
    const known = (await api.platform.inventory.list()).find(({ board }) => board.id === id);
    expect(known).toMatchObject({ health: second, busy: false });
    await admin.http.delete('/v1/admin/nodes/node04').expect(204);
    await api.platform.inventory.recordHealth(second);
    expect((await api.platform.inventory.list()).filter(({ board }) => board.id === id)).toEqual([]);
    await viewer.http.get('/v1/nodes/node04').expect(404);
  });
});

describe('events of a node', () => {
  const eventsOf = async (node: string, after = 0) =>
    (await viewer.http.get(`/v1/nodes/${node}/events`).query({ after }).expect(200)).body.items;

  it('tell what happened to it, newest last, and stay when it is gone', async () => {
    await enrol(5);
    await end('node05', { state: 'failed', reason: { code: 'sign-in', message: 'It is away.' } });
    await admin.http.post('/v1/admin/nodes/node05/check').expect(202);
    await end('node05', { state: 'done' });
    const at = new Date('2031-04-05T06:07:08.123Z');
    await api.platform.nodeEvents.record({
      ...{ node: 'node05', at, type: 'slurm', state: 'drained', detail: 'fan "ä"\0', operation: null },
    });
    await admin.http.delete('/v1/admin/nodes/node05').expect(204);
    const events = await eventsOf('node05');
    expect(events).toMatchObject([
      { type: 'enrolled', state: null, detail: 'as compute at 10.0.0.6', operation: null },
      { type: 'operation', state: 'failed', detail: 'It is away.', operation: { kind: 'enrol' } },
      { type: 'slurm', state: 'drained', detail: 'fan "ä"\uFFFD', at: at.toISOString() },
      { type: 'forgotten', state: null, detail: null },
    ]);
    expect(await eventsOf('node05', events[2].seq)).toEqual([events[3]]);
    expect(await eventsOf('node05', events[3].seq)).toEqual([]);
  });

  it('are none for a trial, and for changes that somebody else was faster with', async () => {
    await enrol(6);
    const [operation] = await api.platform.boards.operationsOf('node', 'node06', 1);
    await end('node06', { state: 'done' });
    expect(
      await api.platform.boards.changeOperation(existing(operation), { state: 'failed' }),
    ).toBeUndefined();
    await admin.http
      .post('/v1/admin/nodes?dryRun=true')
      .send({
        ...{ name: 'node06', address: '10.0.0.99', roles: ['compute'] },
        signIn: { password: SECRET, acceptFirstHostKey: true },
      })
      .expect(202);
    const told = await eventsOf('node06');
    expect(told.map(({ type }: { type: string }) => type)).toEqual(['enrolled', 'operation']);
  });

  it('are bounded', async () => {
    const { nodeEvents } = api.platform;
    for (let n = 1; n <= 510; n += 1) {
      await nodeEvents.record({
        ...{ node: 'busy', at: new Date(), type: 'slurm', state: 'down', detail: String(n), operation: null },
      });
    }
    await nodeEvents.trim();
    const events = await nodeEvents.after('busy', 0, 1_000);
    expect([events.length, events[0]?.detail, events[499]?.detail]).toEqual([500, '11', '510']);
    expect(await eventsOf('node05')).toHaveLength(4);
  });

  it('are not there for a node that never was', async () => {
    await viewer.http.get('/v1/nodes/nobody/events').expect(404);
    await viewer.http.get('/v1/nodes/node05/events?after=-1').expect(400);
    expect(await eventsOf('node09')).toEqual([]);
  });
});

describe('discoveries', () => {
  const start = (body?: object) => admin.http.post('/v1/admin/discoveries').send(body);

  it('are begun for a range, and are found by the sweeper', async () => {
    const { body, headers } = await start({ range: '10.0.2.7/24' }).expect(202);
    expect(body).toMatchObject({ range: '10.0.2.0/24', state: 'waiting', finished: false, found: [] });
    expect(headers.location).toBe(`/v1/admin/discoveries/${body.id}`);
    const { discoveries } = api.platform;
    const later = new Date(Date.now() + 60_000);
    expect(await discoveries.takeDue(new Date(), later, 10)).toMatchObject([{ id: body.id }]);
    expect(await discoveries.takeDue(new Date(), later, 10)).toEqual([]);
    const found = [
      {
        ...{ address: '10.0.2.3', mac: 'dc:a6:32:00:00:01', vendor: 'Raspberry Pi' as const },
        ...{ sshBanner: 'SSH-2.0-x', hostKeySha256: null, enrolledAs: null },
      },
    ];
    const over = { state: 'done' as const, found, endedAt: new Date(), lookAt: null };
    expect(await discoveries.change(body.id, over)).toBe(true);
    expect(await discoveries.change(body.id, { state: 'failed' })).toBe(false);
    const { body: done } = await admin.http.get(`/v1/admin/discoveries/${body.id}`).expect(200);
    expect(done).toMatchObject({ state: 'done', finished: true, found });
    await discoveries.removeOld(new Date(Date.now() + 1_000));
    await admin.http.get(`/v1/admin/discoveries/${body.id}`).expect(404);
  });

  it.each([
    [{ range: '10.1.0.0/24' }, 'must be in the subnet of the boards, 10.0.0.0/16 (BRAMBLE_BOARD_SUBNET)'],
    [{ range: '0.0.0.0/0' }, 'must be in the subnet of the boards, 10.0.0.0/16 (BRAMBLE_BOARD_SUBNET)'],
    [{ range: '10.0.0.0/21' }, 'must be /22 or smaller: name a part of 10.0.0.0/16'],
    [{ range: '10.0.0.0/24;id' }, 'must be a range such as "10.0.0.0/24"'],
    [{ range: '::/0' }, 'must be a range such as "10.0.0.0/24"'],
    [undefined, 'must be /22 or smaller: name a part of 10.0.0.0/16'],
  ])('of %j are refused', async (body, message) => {
    const refused = await start(body).expect(400);
    expect(refused.body).toMatchObject({ code: 'invalid_request', faults: [{ field: 'range', message }] });
  });

  it('are for admins', async () => {
    await viewer.http.post('/v1/admin/discoveries').send({ range: '10.0.0.0/24' }).expect(403);
    await admin.http.get('/v1/admin/discoveries/dsc_00000000000000000000000000').expect(404);
  });
});

describe('the Kubernetes cluster', () => {
  it('is unavailable where none is configured', async () => {
    for (const path of ['namespaces', 'namespaces/hpc/access', 'images']) {
      const { body } = await admin.http.get(`/v1/cluster/${path}`).expect(503);
      expect(body).toMatchObject({ code: 'kubernetes_unavailable' });
      expect(body.detail).toContain('BRAMBLE_KUBECONFIG');
    }
  });
});
