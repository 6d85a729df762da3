import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWanted, sealWanted, type WantedService } from '#core/services/service';
import { present, unknown } from '#core/vocabulary/answer';
import { FakeServiceObjects } from '../../fakes/fake-service-objects.ts';
import { existing } from '../../fakes/existing.ts';
import { type RunningApi, type SignedIn, startApi } from './running-api.ts';

const SECRET = 'correct horse battery';
const HTPASSWD = `admin:$2b$10$${'a'.repeat(53)}`;
const MUCH_LATER = new Date('2099-01-01T00:00:00Z');

let live: FakeServiceObjects;
let api: RunningApi;
let admin: SignedIn;
let operator: SignedIn;
let viewer: SignedIn;

beforeAll(async () => {
  live = new FakeServiceObjects();
  api = await startApi({}, live);
  [admin, operator, viewer] = [
    await api.signIn('admin'),
    await api.signIn('operator'),
    await api.signIn('viewer'),
  ];
});
afterAll(() => api.close());

/** As a worker would have left it. */
async function installed(name: string, wanted: Partial<WantedService> = {}, operation = `op_${name}`) {
  const { services, secrets } = api.platform;
  return services.addRevision(name, {
    ...{ operationId: operation, kind: 'install', reason: 'first', at: new Date() },
    sealedWanted: sealWanted(name, { settings: {}, values: {}, ...wanted }, secrets),
    parts: [
      {
        ...{ release: name, namespace: name, helmRevision: 1, chart: `${name}-1.0.0` },
        objects: [{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: name, name }],
      },
    ],
  });
}

async function end(id: string, state: 'done' | 'failed' | 'cancelled') {
  const { operations } = api.platform;
  const operation = existing(await operations.findOperation(id));
  return operations.changeOperation(operation, { state, endedAt: new Date(), lookAt: null });
}

const faultsOf = ({ body }: { body: { faults: { field: string }[] } }): string[] =>
  body.faults.map(({ field }) => field);

describe('the catalogue', () => {
  it('tells what can be deployed, and what may be set', async () => {
    const { body } = await viewer.http.get('/v1/services/catalog').expect(200);
    const names = (body.items as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['metallb', 'registry', 'monitoring', 'slurm']));
    const registry = (await viewer.http.get('/v1/services/catalog/chartmuseum').expect(200)).body;
    expect(registry).toMatchObject({
      ...{ name: 'registry', dependsOn: ['metallb'], installed: false },
      defaults: { address: '10.0.0.10', size: '50Gi' },
      settingsSchema: { properties: { address: { default: '10.0.0.10' }, htpasswd: { writeOnly: true } } },
    });
    expect(registry.charts[0]).toMatchObject({ release: 'registry', kind: 'repository', name: 'zot' });
  });

  it('has no charts where a setting without a default decides of them', async () => {
    const { body } = await viewer.http.get('/v1/services/catalog/nfs').expect(200);
    expect(body).toMatchObject({ name: 'storage', charts: null, defaults: { className: 'nfs' } });
  });

  it('names what there is where something is asked for that is not there', async () => {
    const { body } = await viewer.http.get('/v1/services/catalog/wordpress').expect(404);
    expect(body.detail).toContain('registry');
  });
});

describe('an installation', () => {
  it('is an operation that can be watched, and never shows a secret', async () => {
    await installed('metallb');
    const { body, headers } = await admin.http
      .post('/v1/services')
      .send({ name: 'zot', settings: { htpasswd: HTPASSWD }, reason: 'images' })
      .expect(202);
    expect(headers.location).toBe(`/v1/admin/operations/${body.id}`);
    expect(body).toMatchObject({
      ...{ about: 'service', subject: 'registry', kind: 'install', state: 'waiting' },
      parameters: { reason: 'images', force: false, keepFailed: false },
    });
    expect(body.steps.map(({ name }: { name: string }) => name)).toEqual([
      ...['cluster', 'recover', 'namespace', 'apply registry', 'ready registry'],
      ...['apply registry-addresses', 'ready registry-addresses', 'undo'],
    ]);
    const read = (await operator.http.get(headers.location ?? '').expect(200)).body;
    const all = (await operator.http.get('/v1/services/registry/operations').expect(200)).body;
    expect(all.items[0].id).toBe(body.id);
    const stored = existing(await api.platform.operations.findOperation(body.id));
    expect(JSON.stringify([body, read, all, stored])).not.toContain('$2b$10$');
    const second = await admin.http.post('/v1/services').send({ name: 'registry' }).expect(409);
    expect(second.body.code).toBe('operation_under_way');
    await api.platform.services.ensure('registry', new Date());
    const service = (await viewer.http.get('/v1/services/registry').expect(200)).body;
    expect(service).toMatchObject({
      ...{ state: 'installing', revision: null, settings: {} },
      operation: { id: body.id, kind: 'install', state: 'waiting' },
    });
    await end(body.id, 'failed');
    expect((await viewer.http.get('/v1/services/registry')).body).toMatchObject({
      ...{ state: 'degraded', message: 'Its installation has not come to its end.', operation: null },
    });
  });

  it('may only be planned, any number of times at once', async () => {
    const plan = () => admin.http.post('/v1/services?dryRun=true').send({ name: 'registry' }).expect(202);
    const [first, second] = [(await plan()).body, (await plan()).body];
    expect([first.kind, second.kind]).toEqual(['plan', 'plan']);
    expect(faultsOf(await admin.http.post('/v1/services?dryRun=1').send({ name: 'registry' }))).toEqual([
      'query.dryRun',
    ]);
  });

  it.each<[string, object, string]>([
    ['no name', {}, 'name'],
    ['an unknown field', { name: 'registry', chart: 'x' }, 'body'],
    ['an unknown setting', { name: 'registry', settings: { adress: '10.0.0.11' } }, 'settings'],
    ['a setting that is wrong', { name: 'registry', settings: { address: '10.9.9.9' } }, 'settings.address'],
    ['values of a release that is none', { name: 'registry', values: { zot: {} } }, 'values.zot'],
    ['a reason of two lines', { name: 'registry', reason: 'a\nb' }, 'reason'],
    ['a setting that has no default', { name: 'storage' }, 'settings.export'],
  ])('is refused with %s', async (_, request, field) => {
    const answer = await admin.http.post('/v1/services').send(request).expect(400);
    expect(faultsOf(answer).join(' ')).toContain(field);
  });

  it('is refused where what it needs is missing, it is there already, or nobody knows it', async () => {
    const codes = [];
    for (const [name, status] of [
      ['slurm-metrics', 409],
      ['metallb', 409],
      ['wordpress', 404],
    ] as const)
      codes.push((await admin.http.post('/v1/services').send({ name }).expect(status)).body.code);
    expect(codes).toEqual(['dependency_missing', 'name_taken', 'not_found']);
  });
});

describe('a service', () => {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'sftp', name: 'sftp' };
  const settings = { files: { server: '10.0.0.20', path: '/srv/sftp' }, adminPassword: SECRET };
  const values = { sftp: { env: { ADMIN_PASSWORD: SECRET, REPLICAS: '1' } } };

  it('tells how it is, what it was asked to be, and hides secrets', async () => {
    await installed('sftp', { settings, values });
    expect((await viewer.http.get('/v1/services/sftp').expect(200)).body).toMatchObject({
      ...{ state: 'ready', revision: 1, observedAt: null, drift: null, operation: null },
      charts: [{ release: 'sftp', namespace: 'sftp', chart: 'sftp-1.0.0', helmRevision: 1 }],
      settings: { ...settings, adminPassword: '(hidden)' },
      values: { sftp: { env: { ADMIN_PASSWORD: '(hidden)', REPLICAS: '1' } } },
    });
    await api.platform.services.observe('sftp', {
      ...{ observedAt: MUCH_LATER, state: 'degraded', message: null },
      workloads: [{ object, ready: false, detail: '0 of 1 replica are ready' }],
      problems: [
        { object, code: 'CrashLoopBackOff', message: 'ended', lasting: true, lastLines: [`got ${SECRET}`] },
      ],
      endpoints: [
        {
          ...{ name: 'sftp', kind: 'LoadBalancer', hosts: ['10.0.0.24'], wanted: ['10.0.0.24'] },
          ports: [{ name: 'sftp', port: 22, protocol: 'TCP' }],
        },
      ],
    });
    const seen = (await viewer.http.get('/v1/services/sftp').expect(200)).body;
    expect(seen).toMatchObject({
      ...{ state: 'degraded', observedAt: MUCH_LATER.toISOString() },
      problems: [{ code: 'CrashLoopBackOff', lastLines: [] }],
      endpoints: [{ hosts: ['10.0.0.24'] }],
    });
    const list = (await viewer.http.get('/v1/services').expect(200)).body;
    expect(list.items.map(({ name }: { name: string }) => name)).toContain('sftp');
    const history = (await viewer.http.get('/v1/services/sftp/history').expect(200)).body;
    expect(history.items).toMatchObject([{ revision: 1, current: true, kind: 'install', reason: 'first' }]);
    expect(JSON.stringify([seen, list, history])).not.toContain(SECRET);
    const inspected = (await operator.http.get('/v1/services/sftp').expect(200)).body;
    expect(inspected.problems[0].lastLines).toEqual([`got ${SECRET}`]);
  });

  it('keeps a secret that was hidden when it is given back', async () => {
    const { body } = await admin.http
      .post('/v1/services/sftp/upgrade')
      .send({ values: { sftp: { env: { ADMIN_PASSWORD: '(hidden)', REPLICAS: '2' } } } })
      .expect(202);
    expect(body).toMatchObject({ kind: 'upgrade', subject: 'sftp' });
    const { parameters } = existing(await api.platform.operations.findOperation(body.id));
    const sealed = 'sealedWanted' in parameters ? parameters.sealedWanted : null;
    expect(openWanted('sftp', sealed ?? '', api.platform.secrets)).toEqual({
      settings,
      values: { sftp: { env: { ADMIN_PASSWORD: SECRET, REPLICAS: '2' } } },
    });
    await end(body.id, 'done');
    const refused = await admin.http
      .post('/v1/services/sftp/upgrade')
      .send({ values: { sftp: { env: { API_TOKEN: '(hidden)' } } } })
      .expect(400);
    expect(faultsOf(refused)).toEqual(['values']);
  });

  it('is upgraded without a body, and the upgrade may only be planned', async () => {
    const plan = await admin.http.post('/v1/services/sftp/upgrade?dryRun=true').expect(202);
    expect(plan.body.kind).toBe('plan');
    const { body } = await admin.http.post('/v1/services/sftp/upgrade').expect(202);
    await end(body.id, 'done');
  });

  it('is rolled back to a revision that it has', async () => {
    const refused = await admin.http.post('/v1/services/sftp/rollback').expect(400);
    expect(faultsOf(refused)).toEqual(['revision']);
    await installed('sftp', { settings, values }, 'op_sftp_2');
    const unknownRevision = await admin.http
      .post('/v1/services/sftp/rollback')
      .send({ revision: 7 })
      .expect(400);
    expect(unknownRevision.body.faults[0].message).toContain('1');
    const { body } = await admin.http.post('/v1/services/sftp/rollback').expect(202);
    expect(body).toMatchObject({ kind: 'rollback', parameters: { revision: 1 } });
    await end(body.id, 'done');
  });

  it('tells what differed when it was checked last', async () => {
    const { body } = await admin.http.post('/v1/services/sftp/check').expect(202);
    const { operations } = api.platform;
    const running = existing(await operations.findOperation(body.id));
    await operations.changeOperation(running, {
      ...{ state: 'done', endedAt: MUCH_LATER, lookAt: null },
      steps: running.steps.map((step) => ({ ...step, state: 'differs', detail: 'Deployment sftp/sftp' })),
    });
    expect((await viewer.http.get('/v1/services/sftp')).body.drift).toEqual({
      ...{ operationId: body.id, checkedAt: MUCH_LATER.toISOString() },
      steps: [{ step: 'check sftp', detail: 'Deployment sftp/sftp' }],
    });
  });

  it.each(['recover', 'mirror', 'uninstall'])('takes %s without a body', async (verb) => {
    const { body, headers } = await admin.http.post(`/v1/services/sftp/${verb}`).expect(202);
    expect(body.kind).toBe(verb);
    expect(headers.location).toBe(`/v1/admin/operations/${body.id}`);
    await end(body.id, 'done');
  });

  it('has events and logs, asked of the cluster by what it consists of', async () => {
    const event = (seconds: number, code: string) => ({
      ...{ at: new Date(seconds * 1000), type: 'Warning' as const, code, message: 'm', object, count: 1 },
    });
    live.onEvents = () => present([event(1, 'BackOff'), event(2, 'Failed')]);
    const events = (await viewer.http.get('/v1/services/sftp/events').expect(200)).body.items;
    expect(events.map(({ code }: { code: string }) => code)).toEqual(['Failed', 'BackOff']);
    const asked = existing(live.asked.at(-1));
    expect(asked.release).toEqual({ name: 'sftp', namespace: 'sftp' });
    expect(asked.manifest).toContain('"kind":"Deployment"');
    const log = { namespace: 'sftp', pod: 'sftp-1', container: 'sftp', lines: ['up'], because: null };
    live.onTail = () => present([log]);
    const logs = await operator.http.get('/v1/services/sftp/logs?lines=5&previous=true').expect(200);
    expect(logs.body.items).toEqual([log]);
    const wrong = await operator.http.get('/v1/services/sftp/logs?lines=0&previous=yes').expect(400);
    expect(faultsOf(wrong)).toEqual(['query.lines', 'query.previous']);
  });

  it('tells that the cluster cannot be asked', async () => {
    live.onEvents = () => unknown('The API server does not answer.');
    const { body } = await viewer.http.get('/v1/services/sftp/events').expect(503);
    expect(body).toMatchObject({
      ...{ code: 'kubernetes_unavailable', detail: 'The API server does not answer.' },
    });
  });

  it('is found by its other names, and not where it is not installed', async () => {
    expect((await viewer.http.get('/v1/services/zot').expect(200)).body.name).toBe('registry');
    for (const path of ['dns', 'dns/history', 'dns/events', 'wordpress'])
      await viewer.http.get(`/v1/services/${path}`).expect(404);
    await admin.http.post('/v1/services/dns/check').expect(404);
    await viewer.http.get('/v1/services/A;b').expect(400);
  });
});

describe('permissions', () => {
  it.each<[string, string]>([
    ['post', '/v1/services'],
    ['post', '/v1/services/sftp/upgrade'],
    ['post', '/v1/services/sftp/rollback'],
    ['post', '/v1/services/sftp/uninstall'],
    ['post', '/v1/services/sftp/check'],
    ['post', '/v1/services/sftp/recover'],
    ['post', '/v1/services/sftp/mirror'],
  ])('keep operators from %s %s', async (_, path) => {
    const { body } = await operator.http.post(path).send({}).expect(403);
    expect(body.detail).toContain('services:manage');
  });

  it.each(['logs', 'operations'])('keep viewers from %s', async (path) => {
    await viewer.http.get(`/v1/services/sftp/${path}`).expect(403);
    await operator.http.get(`/v1/services/sftp/${path}`).expect(200);
  });

  it('to look at an operation, and to cancel it, go by what it is about', async () => {
    const service = (await admin.http.post('/v1/services/sftp/check').expect(202)).body.id as string;
    const node = (await admin.http.post('/v1/admin/nodes/nd1/drain').expect(202)).body.id as string;
    const forNodes = await api.signIn('admin', { scopes: ['nodes:operate'] });
    const forServices = await api.signIn('admin', { scopes: ['services:inspect', 'services:manage'] });
    const at = (id: string) => `/v1/admin/operations/${id}`;
    await viewer.http.get(at(service)).expect(403);
    for (const path of [at(service), `${at(service)}/output`]) {
      await forNodes.http.get(path).expect(403);
      await forServices.http.get(path).expect(200);
    }
    await forServices.http.get(at(node)).expect(403);
    await forNodes.http.get(at(node)).expect(200);
    await operator.http.post(`${at(service)}/cancel`).expect(403);
    await forNodes.http.post(`${at(service)}/cancel`).expect(403);
    await forServices.http.post(`${at(node)}/cancel`).expect(403);
    await forServices.http.post(`${at(service)}/cancel`).expect(202);
    await operator.http.post(`${at(node)}/cancel`).expect(202);
  });
});

describe('without Kubernetes', () => {
  let alone: RunningApi;
  beforeAll(async () => {
    alone = await startApi();
  });
  afterAll(() => alone.close());

  it('everything that is stored is answered, and nothing else', async () => {
    const { http } = await alone.signIn('admin');
    await alone.platform.services.ensure('sftp', new Date());
    for (const path of ['catalog', 'catalog/sftp', '', 'sftp', 'sftp/history'])
      await http.get(`/v1/services/${path}`).expect(200);
    const refused = [
      await http.post('/v1/services').send({ name: 'dns' }).expect(503),
      await http.post('/v1/services/sftp/upgrade').expect(503),
      await http.post('/v1/services/sftp/check').expect(503),
      await http.get('/v1/services/sftp/events').expect(503),
      await http.get('/v1/services/sftp/logs').expect(503),
    ];
    for (const { body } of refused) {
      expect(body.code).toBe('kubernetes_unavailable');
      expect(body.detail).toContain('BRAMBLE_KUBECONFIG');
    }
  });
});
