import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApi, type SignedIn, startApi } from './running-api.ts';

let api: RunningApi;
let admin: SignedIn;

beforeAll(async () => {
  api = await startApi();
  admin = await api.signIn('admin');
});
afterAll(() => api.close());

const SECRET = 'correct horse';
const board = (n: number, changes: object = {}) => ({
  name: `node0${n}`,
  address: `10.0.0.${n + 1}`,
  roles: ['compute'],
  signIn: { password: SECRET, acceptFirstHostKey: true },
  ...changes,
});
const storage = (fields: object) => ({
  roles: ['storage'],
  storage: { partitions: [{ label: 'home' }], ...fields },
});
const enrol = (body: object) => admin.http.post('/v1/admin/nodes').send(body);

describe('boards', () => {
  it('are enrolled by an operation that can be watched, and never show a secret', async () => {
    const { body, headers } = await enrol(board(1)).expect(202);
    expect(body).toMatchObject({ subject: 'node01', kind: 'enrol', state: 'waiting', finished: false });
    expect(body.steps.slice(0, 3).map(({ name }: { name: string }) => name)).toEqual([
      'sign-in',
      'facts',
      'network',
    ]);
    expect(headers.location).toBe(`/v1/admin/operations/${body.id}`);
    const answers = [
      (await admin.http.get(`/v1/admin/operations/${body.id}`).expect(200)).body,
      (await admin.http.get('/v1/admin/nodes/node01').expect(200)).body,
      (await admin.http.get('/v1/admin/nodes').expect(200)).body,
      (await admin.http.get('/v1/admin/nodes/node01/operations').expect(200)).body,
    ];
    expect(answers[1]).toMatchObject({
      address: '10.0.0.2',
      signIn: { user: 'pi', port: 22, hostKey: null, managed: false },
      facts: null,
    });
    expect(JSON.stringify([body, ...answers])).not.toContain(SECRET);
    const stored = await api.platform.boards.findByName('node01');
    expect(JSON.stringify(stored)).not.toContain(SECRET);
  });

  it.each([
    ['no name', { name: undefined }, 'name'],
    ['a name with a capital', { name: 'Node01' }, 'name'],
    ['a name that is a command', { name: 'a;reboot' }, 'name'],
    ['a name with a newline', { name: 'node\n01' }, 'name'],
    ['an address that is a name', { address: 'node01' }, 'address'],
    ['an address with a port', { address: '10.0.0.1:22' }, 'address'],
    ['no role', { roles: [] }, 'roles'],
    ['an unknown role', { roles: ['master'] }, 'roles[0]'],
    ['the same role twice', { roles: ['compute', 'compute'] }, 'roles'],
    ['no way to sign in', { signIn: { acceptFirstHostKey: true } }, 'signIn'],
    [
      'two ways to sign in',
      { signIn: { password: 'a', privateKey: 'b', acceptFirstHostKey: true } },
      'signIn',
    ],
    ['no word about the host key', { signIn: { password: 'a' } }, 'signIn'],
    ['a host key that is none', { signIn: { password: 'a', hostKey: 'SHA256:x' } }, 'signIn.hostKey'],
    [
      'a password of two lines',
      { signIn: { password: 'a\nb', acceptFirstHostKey: true } },
      'signIn.password',
    ],
    [
      'an account that is an option',
      { signIn: { user: '-oX', password: 'a', acceptFirstHostKey: true } },
      'signIn.user',
    ],
    ['a static address that is none', { network: { address: '10.0.0' } }, 'network.address'],
    ['an unknown network field', { network: { address: '10.0.0.9', mtu: 1 } }, 'network'],
    ['storage without the role', { storage: { partitions: [{ label: 'home' }] } }, 'storage'],
    ['a disk that is no device', storage({ disk: '/etc/passwd' }), 'storage.disk'],
    ['a disk that leaves /dev', storage({ disk: '/dev/../etc/passwd' }), 'storage.disk'],
    ['a disk that is a command', storage({ disk: '/dev/sda;reboot' }), 'storage.disk'],
    ['a label that is an option', storage({ partitions: [{ label: '-n' }] }), 'storage.partitions[0].label'],
    [
      'a label twice',
      storage({ partitions: [{ label: 'a', sizeMebibytes: 100 }, { label: 'a' }] }),
      'storage.partitions',
    ],
    [
      'two partitions of what is left',
      storage({ partitions: [{ label: 'a' }, { label: 'b' }] }),
      'storage.partitions',
    ],
    [
      'a mount point with a space',
      storage({ partitions: [{ label: 'a', mountedAt: '/a b' }] }),
      'storage.partitions[0].mountedAt',
    ],
    [
      'a mount point that goes up',
      storage({ partitions: [{ label: 'a', mountedAt: '/../etc' }] }),
      'storage.partitions[0].mountedAt',
    ],
  ])('are refused with %s', async (_, changes, field) => {
    const { body } = await enrol(board(8, changes)).expect(400);
    expect(body.faults.map((fault: { field: string }) => fault.field)).toContain(field);
    await admin.http.get('/v1/admin/nodes/node08').expect(404);
  });

  it('have a name and an address of their own', async () => {
    await enrol(board(2)).expect(202);
    const name = await enrol(board(2, { address: '10.0.0.99' })).expect(409);
    expect(name.body).toMatchObject({ code: 'name_taken', faults: [{ field: 'name' }] });
    const address = await enrol(board(7, { address: '10.0.0.3' })).expect(409);
    expect(address.body).toMatchObject({ code: 'name_taken', faults: [{ field: 'address' }] });
  });

  it('have one operation at a time, which can be cancelled', async () => {
    const { body } = await enrol(board(3)).expect(202);
    expect((await admin.http.post('/v1/admin/nodes/node03/check').expect(409)).body.code).toBe(
      'operation_under_way',
    );
    const cancelled = await admin.http.post(`/v1/admin/operations/${body.id}/cancel`).expect(202);
    expect(cancelled.body.cancelRequestedAt).not.toBeNull();
    await admin.http.post(`/v1/admin/operations/${body.id}/cancel`).expect(202);
    const operation = await api.platform.boards.findOperation(body.id);
    if (operation === undefined) throw new Error('the operation is not there');
    await api.platform.boards.changeOperation(operation, { state: 'cancelled', lookAt: null });
    expect((await admin.http.post(`/v1/admin/operations/${body.id}/cancel`).expect(409)).body.code).toBe(
      'operation_finished',
    );
    await admin.http.post('/v1/admin/nodes/node03/check').expect(202);
    await admin.http.get('/v1/admin/operations/op_00000000000000000000000000').expect(404);
  });

  it('are forgotten once nothing is under way, and may sign in another way', async () => {
    const { body } = await enrol(board(4)).expect(202);
    await admin.http.delete('/v1/admin/nodes/node04').expect(409);
    const again = { signIn: { user: 'root', password: 'other', hostKey: `SHA256:${'A'.repeat(43)}` } };
    await admin.http.post('/v1/admin/nodes/node04/apply').send(again).expect(409);
    const operation = await api.platform.boards.findOperation(body.id);
    if (operation === undefined) throw new Error('the operation is not there');
    await api.platform.boards.changeOperation(operation, { state: 'failed', lookAt: null });
    const second = await admin.http.post('/v1/admin/nodes/node04/apply').send(again).expect(202);
    expect((await admin.http.get('/v1/admin/nodes/node04').expect(200)).body.signIn).toEqual({
      user: 'root',
      port: 22,
      hostKey: `SHA256:${'A'.repeat(43)}`,
      managed: false,
    });
    const begun = await api.platform.boards.findOperation(second.body.id);
    if (begun === undefined) throw new Error('the operation is not there');
    await api.platform.boards.changeOperation(begun, { state: 'failed', lookAt: null });
    await admin.http.delete('/v1/admin/nodes/node04').expect(204);
    await admin.http.delete('/v1/admin/nodes/node04').expect(404);
    await enrol(board(4)).expect(202);
  });

  it('may be planned without being enrolled, however often', async () => {
    const plan = () => admin.http.post('/v1/admin/nodes?dryRun=true').send(board(5)).expect(202);
    const [first, second] = [await plan(), await plan()];
    expect(first.body).toMatchObject({ subject: 'node05', kind: 'plan', state: 'waiting' });
    expect(second.body.id).not.toBe(first.body.id);
    await admin.http.get(`/v1/admin/operations/${first.body.id}`).expect(200);
    await admin.http.get('/v1/admin/nodes/node05').expect(404);
    await enrol(board(5)).expect(202);
    const refused = await admin.http.post('/v1/admin/nodes?dryRun=maybe').send(board(5)).expect(400);
    expect(refused.body.faults).toMatchObject([{ field: 'query.dryRun' }]);
  });

  it('are drained and resumed by operators, also where they are none of ours', async () => {
    const operator = (await api.signIn('operator')).http;
    const { body } = await operator
      .post('/v1/admin/nodes/rack1/drain')
      .send({ reason: 'new fan' })
      .expect(202);
    expect(body).toMatchObject({
      subject: 'rack1',
      kind: 'drain',
      parameters: { reason: 'new fan', force: false },
    });
    expect(body.steps).toMatchObject([{ name: 'drain', state: 'waiting' }]);
    await operator.post('/v1/admin/nodes/rack1/resume').expect(409);
    await operator.post('/v1/admin/nodes/rack2/reboot').expect(404);
    await operator.post('/v1/admin/nodes/rack1/upgrade').expect(403);
    await operator.post('/v1/admin/nodes/rack1/decommission').expect(403);
    for (const reason of ['a\nb', '', 'a"b', 'x'.repeat(201)]) {
      const refused = await operator.post('/v1/admin/nodes/rack3/drain').send({ reason }).expect(400);
      expect(refused.body.faults).toMatchObject([{ field: 'reason' }]);
    }
  });

  it('tell what their steps show, whole or as it comes', async () => {
    const { body } = await enrol(board(6)).expect(202);
    const { boards } = api.platform;
    for (const text of ['one\n', 'two\n']) await boards.say(body.id, 'hosts', text);
    const path = `/v1/admin/operations/${body.id}/output`;
    const second = { seq: 2, step: 'hosts', text: 'two\n' };
    expect((await admin.http.get(path).expect(200)).body.items).toEqual([
      { seq: 1, step: 'hosts', text: 'one\n' },
      second,
    ]);
    const operation = await boards.findOperation(body.id);
    if (operation === undefined) throw new Error('the operation is not there');
    await boards.changeOperation(operation, { state: 'failed', lookAt: null });
    const watched = await admin.http
      .get(path)
      .set('Accept', 'text/event-stream')
      .set('Last-Event-ID', '1')
      .expect(200);
    const events = watched.text.split('\n\n').filter((event) => event !== '');
    expect(events.map((event) => /^event: (\w+)$/m.exec(event)?.[1])).toEqual(['output', 'progress', 'end']);
    expect(events[0]).toBe(`id: 2\nevent: output\ndata: ${JSON.stringify(second)}`);
    await admin.http.get('/v1/admin/operations/op_00000000000000000000000000/output').expect(404);
  });

  it.each(['viewer', 'user', 'operator'] as const)('are not the business of a %s', async (role) => {
    const { http } = await api.signIn(role);
    await http.get('/v1/admin/nodes').expect(403);
    await http.post('/v1/admin/nodes').send(board(9)).expect(403);
  });
});
