import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CatalogEntry, Operation, Service } from '../index.ts';
import { openEventStream, serverSentEvent, writeAndBreak } from '../testing/event-stream.ts';
import { answerJson, answerProblem, localServer, TEST_KEY } from '../testing/local-server.ts';
import { RecordedTerminal } from '../testing/recorded-terminal.ts';
import { run } from './run.ts';

const NOW = '2031-04-05T06:07:08.000Z';
const ID = 'op_01j00000000000000000000000';

const operation = (kind: Operation['kind'], changes: Partial<Operation> = {}): Operation => ({
  ...{ id: ID, about: 'service', subject: 'registry', kind, version: 2 },
  parameters: { reason: null, force: false, keepFailed: false, revision: null },
  ...{ state: 'done', finished: true, reason: null, cancelRequestedAt: null },
  ...{ createdAt: NOW, startedAt: NOW, endedAt: NOW },
  steps: [
    {
      ...{ name: 'apply registry-addresses', title: 'The cluster has it', state: 'applied' },
      ...{ detail: 'revision 1\u001b[2J', startedAt: NOW, endedAt: NOW },
    },
  ],
  ...changes,
});

const object = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'registry', name: 'registry-zot' };
const service: Service = {
  ...{ name: 'registry', title: 'zot: images and charts', namespace: 'registry', state: 'degraded' },
  ...{ message: null, revision: 2, settings: { size: '20Gi', htpasswd: '(hidden)' }, values: {} },
  charts: [{ release: 'registry', namespace: 'registry', chart: 'zot-0.1.122', helmRevision: 3 }],
  workloads: [{ object, ready: false, detail: '0 of 1 replica are ready' }],
  problems: [{ object, code: 'CrashLoopBackOff', message: 'ended', lasting: true, lastLines: ['no space'] }],
  endpoints: [
    {
      ...{ name: 'registry-zot', kind: 'LoadBalancer', hosts: ['10.0.0.10'], wanted: ['10.0.0.10'] },
      ports: [{ name: 'zot', port: 5000, protocol: 'TCP' }],
    },
  ],
  ...{ observedAt: NOW, operation: null, createdAt: NOW },
  drift: { operationId: ID, checkedAt: NOW, steps: [{ step: 'check registry', detail: 'ConfigMap a/b' }] },
};
const entry: CatalogEntry = {
  ...{
    name: 'storage',
    aliases: ['nfs'],
    title: 'NFS driver',
    description: 'Volumes.',
    namespace: 'storage',
  },
  ...{ dependsOn: ['metallb'], installed: true, charts: null, defaults: { className: 'nfs' } },
  constraints: {
    ...{ architectures: null, largestPageSize: null, memoryMebibytes: null, kubernetes: '1.25' },
    ...{ kernelModules: ['nfs'], kinds: [] },
  },
  settingsSchema: {
    properties: { export: { description: 'Where volumes are made.' }, className: { description: 'Name.' } },
  },
};

/** Takes what is to be done, tells how it went, and answers everything else by its path. */
async function lab({
  answers = {},
  done = operation('install'),
  output = '',
}: {
  answers?: Record<string, unknown>;
  done?: Operation;
  output?: string;
} = {}) {
  const server = await localServer(({ method, path }, response) => {
    if (path in answers) {
      answerJson(response, answers[path]);
      return;
    }
    if (method === 'POST') {
      answerJson(response, { ...done, state: 'waiting', finished: false }, 202);
      return;
    }
    openEventStream(response);
    writeAndBreak(
      response,
      (output === '' ? '' : serverSentEvent('output', { seq: 1, step: 'plan registry', text: output }, 1)) +
        serverSentEvent('progress', done) +
        serverSentEvent('end', { state: done.state }),
    );
  });
  const terminal = new RecordedTerminal({ BRAMBLE_URL: server.url, BRAMBLE_API_KEY: TEST_KEY });
  return {
    server,
    terminal,
    services: (...argv: string[]) => run(['services', ...argv], terminal),
    /** The body that was sent first, to which path. */
    sent: () => {
      const request = server.requests.find(({ method }) => method === 'POST');
      return request === undefined
        ? undefined
        : [request.path + (request.query.size === 0 ? '' : `?${request.query.toString()}`), request.json()];
    },
  };
}

let directory: string;
const file = (name: string): string => join(directory, name);
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bramble-cli-services-'));
  await writeFile(file('settings.json'), '{"htpasswd": "secret", "size": "1Gi"}');
  await writeFile(file('values.json'), '{"registry": {"replicaCount": 1}}');
  await writeFile(file('values.yaml'), 'registry:\n  replicaCount: 1\n');
  await writeFile(file('flat.json'), '{"replicaCount": 1}');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('services', () => {
  it('lists those that are there', async () => {
    const { services, terminal } = await lab({ answers: { '/v1/services': { items: [service] } } });
    expect(await services()).toBe(0);
    const [titles, line] = terminal.written.split('\n');
    expect(titles).toMatch(/^NAME +STATE +REVISION +CHARTS +ADDRESSES +UNDER WAY$/);
    expect(line).toMatch(/^registry +degraded +2 +zot-0\.1\.122 +10\.0\.0\.10 +-$/);
  });

  it('shows one with its workloads, endpoints, problems and drift', async () => {
    const { services, terminal } = await lab({ answers: { '/v1/services/registry': service } });
    expect(await services('show', 'registry')).toBe(0);
    for (const text of [
      'StatefulSet registry/registry-zot  no     0 of 1 replica are ready',
      'registry-zot  LoadBalancer  10.0.0.10  5000',
      'CrashLoopBackOff: ended\n    no space\n',
      'ConfigMap a/b (2031-',
      '{"size":"20Gi","htpasswd":"(hidden)"}',
    ])
      expect(terminal.written).toContain(text);
  });

  it('shows the catalogue, and the settings of an entry', async () => {
    const answers = {
      '/v1/services/catalog': { items: [entry] },
      '/v1/services/catalog/nfs': entry,
    };
    const { services, terminal } = await lab({ answers });
    expect(await services('catalog')).toBe(0);
    expect(terminal.written).toMatch(/storage +yes +metallb +NFS driver\n/);
    expect(await services('catalog', 'nfs')).toBe(0);
    expect(terminal.written).toMatch(/export +\(must be given\) +Where volumes are made\.\n/);
    expect(terminal.written).toMatch(/className +"nfs" +Name\.\n/);
  });

  it('prints history, events and logs', async () => {
    const revision = {
      ...{ revision: 2, current: true, kind: 'upgrade', reason: 'more space', at: NOW },
      ...{ operationId: ID, charts: service.charts, settings: {}, values: {} },
    };
    const event = { at: NOW, type: 'Warning', code: 'BackOff', message: 'again', object, count: 7 };
    const log = {
      namespace: 'registry',
      pod: 'zot-0',
      container: 'zot',
      lines: ['a\u001b[2Jb'],
      because: null,
    };
    const silent = { ...log, container: 'init', lines: [], because: 'It has not been started yet.' };
    const { services, server, terminal } = await lab({
      answers: {
        '/v1/services/registry/history': { items: [revision] },
        '/v1/services/registry/events': { items: [event] },
        '/v1/services/registry/logs': { items: [log, silent] },
      },
    });
    expect(await services('history', 'registry')).toBe(0);
    expect(terminal.written).toMatch(/2\* +upgrade +2031-.* +zot-0\.1\.122 +more space\n/);
    expect(await services('events', 'registry')).toBe(0);
    expect(terminal.written).toMatch(/Warning +BackOff +StatefulSet registry\/registry-zot +7 +again\n/);
    expect(await services('logs', 'registry', '--lines', '5', '--previous')).toBe(0);
    expect(terminal.written).toContain('==> registry/zot-0 zot <==\na[2Jb\n');
    expect(terminal.written).toContain('init <==\n(It has not been started yet.)\n');
    expect(server.requests.at(-1)?.query.toString()).toBe('lines=5&previous=true');
  });

  it('prints JSON where that is asked for', async () => {
    const { services, terminal } = await lab({ answers: { '/v1/services/registry': service } });
    expect(await services('show', 'registry', '--json')).toBe(0);
    expect(JSON.parse(terminal.written)).toEqual(service);
  });
});

describe('an installation', () => {
  it('sends settings as JSON or text, over those of a file, and shows how it goes', async () => {
    const { services, sent, terminal } = await lab();
    const set = ['--set', 'size=20Gi', '--set', 'pullThrough=["docker.io"]', '--set', 'uiAddress=null'];
    const files = ['--settings', file('settings.json'), '--values', file('values.json')];
    expect(await services('install', 'zot', ...set, ...files, '--reason', 'images', '--keep-failed')).toBe(0);
    expect(sent()).toEqual([
      '/v1/services',
      {
        ...{ name: 'zot', reason: 'images', keepFailed: true },
        settings: { htpasswd: 'secret', size: '20Gi', pullThrough: ['docker.io'], uiAddress: null },
        values: { registry: { replicaCount: 1 } },
      },
    ]);
    expect(terminal.written).toBe('apply registry-addresses applied    revision 1[2J\n');
    expect(terminal.errors).toBe('bramble: registry: done\n');
  });

  it('is only planned with --dry-run, and what would become of objects is printed', async () => {
    const { services, sent, terminal } = await lab({
      done: operation('plan', { steps: [] }),
      output: '~ ConfigMap registry/zot\n    data.size: 1 → 2\n',
    });
    expect(await services('install', 'registry', '--dry-run')).toBe(0);
    expect(sent()).toEqual(['/v1/services?dryRun=true', { name: 'registry' }]);
    expect(terminal.written).toBe('  ~ ConfigMap registry/zot\n      data.size: 1 → 2\n');
  });

  it('keeps what steps write to itself, unless it is asked for', async () => {
    const quiet = await lab({ output: 'waiting for zot\n' });
    expect(await quiet.services('install', 'registry')).toBe(0);
    expect(quiet.terminal.written).not.toContain('waiting for zot');
    const verbose = await lab({ output: 'waiting for zot\n' });
    expect(await verbose.services('install', 'registry', '--verbose')).toBe(0);
    expect(verbose.terminal.written).toContain('  waiting for zot\n');
  });

  it('fails where the operation fails, and tells why on as many lines as it has', async () => {
    const reason = { code: 'ready registry', message: 'CrashLoopBackOff\nits last lines:\n  no space' };
    const { services, terminal } = await lab({
      done: operation('install', { state: 'failed', steps: [], reason }),
    });
    expect(await services('install', 'registry')).toBe(1);
    expect(terminal.errors).toBe(
      'bramble: registry: failed – CrashLoopBackOff\nits last lines:\n  no space\n',
    );
  });

  it('names the setting that the API refuses', async () => {
    const { url } = await localServer((_, response) =>
      answerProblem(response, 400, 'invalid_request', {
        detail: 'The settings of registry are not right.',
        faults: [{ field: 'settings.address', message: 'must be in the subnet' }],
      }),
    );
    const terminal = new RecordedTerminal({ BRAMBLE_URL: url, BRAMBLE_API_KEY: TEST_KEY });
    expect(await run(['services', 'install', 'registry', '--set', 'address=1.2.3.4'], terminal)).toBe(2);
    expect(terminal.errors).toContain('settings.address');
  });

  it.each([
    ['a setting without a value', ['--set', 'size'], 'NAME=VALUE'],
    ['a file that is not there', ['--settings', '/nonexistent'], '/nonexistent'],
    ['values in YAML', ['--values', 'values.yaml'], 'yq'],
    ['values that belong to no release', ['--values', 'flat.json'], '"replicaCount" must be a release'],
  ])('is refused with %s', async (_, options, word) => {
    const { services, server, terminal } = await lab();
    const argv = options.map((option) => (/^\w.*\.(json|yaml)$/.test(option) ? file(option) : option));
    expect(await services('install', 'registry', ...argv)).toBe(2);
    expect(terminal.errors).toContain(word);
    expect(server.requests).toEqual([]);
  });
});

describe('an upgrade', () => {
  const answers = { '/v1/services/registry': service };

  it('changes what is set, and leaves the other settings', async () => {
    const { services, sent } = await lab({ answers });
    expect(await services('upgrade', 'registry', '--set', 'size=50Gi', '--force')).toBe(0);
    expect(sent()).toEqual([
      '/v1/services/registry/upgrade',
      { settings: { size: '50Gi', htpasswd: '(hidden)' }, force: true },
    ]);
  });

  it('takes what the catalogue has now where nothing is given', async () => {
    const { services, server } = await lab({ answers });
    expect(await services('upgrade', 'registry', '--dry-run')).toBe(0);
    expect(server.requests[0]?.query.toString()).toBe('dryRun=true');
    expect(server.requests[0]?.body.length).toBe(0);
  });

  it('starts from the defaults with --reset', async () => {
    const { services, sent } = await lab({ answers });
    expect(await services('upgrade', 'registry', '--reset', '--set', 'size=50Gi')).toBe(0);
    expect(sent()?.[1]).toEqual({ settings: { size: '50Gi' }, values: {} });
  });
});

describe('other changes', () => {
  it.each<[string[], string, unknown]>([
    [['rollback', 'registry', '3', '--reason', 'worse'], 'rollback', { revision: 3, reason: 'worse' }],
    [['uninstall', 'registry', '--force'], 'uninstall', { force: true }],
  ])('are sent: %s', async (argv, verb, body) => {
    const { services, sent } = await lab();
    expect(await services(...argv)).toBe(0);
    expect(sent()).toEqual([`/v1/services/registry/${verb}`, body]);
  });

  it.each(['rollback', 'uninstall', 'check', 'recover', 'mirror'])(
    '%s needs no more than a name',
    async (verb) => {
      const { services, server } = await lab();
      expect(await services(verb, 'registry')).toBe(0);
      expect(server.requests[0]?.path).toBe(`/v1/services/registry/${verb}`);
      expect(server.requests[0]?.body.length).toBe(0);
    },
  );

  it('check prints what differs', async () => {
    const output = '~ Deployment registry/zot\n';
    const { services, terminal } = await lab({ done: operation('check'), output });
    expect(await services('check', 'registry')).toBe(0);
    expect(terminal.written).toContain('  ~ Deployment registry/zot\n');
  });
});
