import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReleaseName } from '#core/services/helm-releases';
import type { ObjectChange } from '#core/services/service-objects';
import { askApiServer } from '#infra/kubernetes/services/api-session';
import type { KubeLab } from '../../lab/kube/kube-lab.ts';
import { BUILD_TIMEOUT_MS, sharedControlPlane } from '../../lab/kube/shared-control-plane.ts';
import { ReleaseLab, configMap, deployment, podTemplate, valueOf } from './release-lab.ts';

let lab: KubeLab;
let releases: ReleaseLab;
beforeAll(async () => {
  lab = await sharedControlPlane();
  releases = new ReleaseLab(lab);
}, BUILD_TIMEOUT_MS);
afterAll(() => releases.dispose());

const release = (name: string): ReleaseName => ({ name, namespace: name });
const asManifest = (...objects: object[]): string =>
  objects.map((object) => JSON.stringify(object)).join('\n---\n');
async function remove(path: string): Promise<void> {
  const access = { kind: 'kubeconfig', file: lab.kubeconfig } as const;
  const answer = await askApiServer({ access, timeoutMs: 20_000 }, (api) =>
    api.call(path, { method: 'DELETE' }),
  );
  expect(answer).toMatchObject({ value: { status: 200 } });
}
const summary = (changes: readonly ObjectChange[]) =>
  changes.map(({ object, change, fields, message }) => ({
    object: `${object.kind} ${object.name}`,
    change,
    ...(fields.length === 0
      ? {}
      : { fields: fields.map(({ path, before, after }) => [path, before, after]) }),
    ...(message === null ? {} : { message }),
  }));
const managerOf = async (path: string) => {
  const { metadata } = (await lab.api.get(path)) as {
    metadata: { managedFields: { manager: string; operation: string; subresource?: string }[] };
  };
  return metadata.managedFields.filter(({ subresource }) => subresource === undefined);
};

describe('the difference that a manifest makes', () => {
  const name = release('diff');
  const web = deployment('web', {}, { replicas: 2 });
  const secret = (data: Record<string, string>) => ({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'credentials' } },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, btoa(value)])),
  });
  const diff = async (manifest: string, before: string, forceConflicts = false) =>
    summary(valueOf(await releases.objects.diff(name, manifest, before, { forceConflicts })));
  let before = '';

  it('is everything where the namespace is not there yet', async () => {
    expect(await diff(asManifest(web, secret({ a: '1' })), '')).toEqual([
      { object: 'Deployment web', change: 'create' },
      { object: 'Secret credentials', change: 'create' },
    ]);
  });

  it('is nothing for what Helm has applied, under the name that Helm goes by', async () => {
    before = await releases.install(
      name,
      web,
      secret({ password: 'correct horse', user: 'ada' }),
      configMap('old', { a: '1' }),
      configMap('kept', { a: '1' }, { annotations: { 'helm.sh/resource-policy': 'keep' } }),
    );
    expect(await diff(before, before)).toEqual([]);
    expect(await managerOf('/apis/apps/v1/namespaces/diff/deployments/web')).toEqual([
      expect.objectContaining({ manager: 'helm', operation: 'Apply' }),
    ]);
  });

  it('is told by field, without what is in secrets, and with what would be removed', async () => {
    const image = {
      containers: [{ name: 'web', image: 'registry.home.lab/web:2', env: [{ name: 'A', value: 'b' }] }],
    };
    const changes = await diff(
      asManifest(
        deployment('web', image, { replicas: 3 }),
        secret({ password: 'battery staple', token: 'x' }),
        configMap('new', { a: '1' }),
      ),
      before,
    );
    expect(changes).toEqual(
      [
        {
          object: 'Deployment web',
          change: 'change',
          fields: [
            ['spec.replicas', '2', '3'],
            [
              'spec.template.spec.containers[name="web"].image',
              '"registry.home.lab/web:1"',
              '"registry.home.lab/web:2"',
            ],
            ['spec.template.spec.containers[name="web"].env', null, '[{"name":"A","value":"b"}]'],
          ].sort(),
        },
        {
          object: 'Secret credentials',
          change: 'change',
          fields: [
            ['data.password', '"(hidden)"', '"(hidden)"'],
            ['data.user', '"(hidden)"', null],
            ['data.token', null, '"(hidden)"'],
          ],
        },
        { object: 'ConfigMap new', change: 'create' },
        { object: 'ConfigMap old', change: 'remove' },
      ].map((change) => ({
        ...change,
        ...('fields' in change ? { fields: expect.arrayContaining(change.fields ?? []) } : {}),
      })),
    );
    const replicas = (await lab.api.get('/apis/apps/v1/namespaces/diff/deployments/web')) as {
      spec: { replicas: number };
    };
    expect(replicas.spec.replicas).toBe(2);
  });

  it('leaves secrets alone that Helm has hidden', async () => {
    const hidden = before.replace(
      /(# Source: \S+\n)[^\n]*credentials[^\n]*\n/,
      '$1# HIDDEN: The Secret output has been suppressed\n',
    );
    expect(hidden).not.toContain('credentials');
    expect(await diff(hidden, before)).toEqual([]);
  });

  it('is a conflict with who owns a field, unless it is to be taken over', async () => {
    await lab.api.patch('/apis/apps/v1/namespaces/diff/deployments/web?fieldManager=kubectl-edit', {
      spec: { replicas: 5 },
    });
    const manifest = asManifest(deployment('web', {}, { replicas: 3 }));
    const fields = [['spec.replicas', '5', '3']];
    expect((await diff(manifest, before))[0]).toEqual({
      ...{ object: 'Deployment web', change: 'conflict', fields },
      message: 'spec.replicas belongs to kubectl-edit',
    });
    expect((await diff(manifest, before, true))[0]).toEqual({
      ...{ object: 'Deployment web', change: 'change', fields },
    });
  });

  it('tells what the API server would refuse', async () => {
    await lab.api.create('/api/v1/namespaces/diff/configmaps', configMap('stranger', { a: '1' }));
    const changes = await diff(
      asManifest(
        deployment('web', {}, { selector: { matchLabels: { app: 'other' } } }),
        configMap('stranger', { a: '2' }),
        { ...configMap('odd', { a: '1' }), dada: { a: '1' } },
        { apiVersion: 'example.org/v1', kind: 'Dashboard', metadata: { name: 'missing' } },
        { apiVersion: 'example.com/v1', kind: 'Panel', metadata: { name: 'brought' } },
        {
          ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
          metadata: { name: 'panels.example.com' },
          spec: {
            ...{ group: 'example.com', scope: 'Namespaced', names: { kind: 'Panel', plural: 'panels' } },
            versions: [
              { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
            ],
          },
        },
      ),
      '',
    );
    expect(changes).toEqual([
      {
        object: 'Deployment web',
        change: 'refused',
        message: expect.stringMatching(/immutable/),
      },
      {
        object: 'ConfigMap stranger',
        change: 'refused',
        message: 'It is there already and belongs to no release of Helm: remove it, or give it another name',
      },
      { object: 'ConfigMap odd', change: 'refused', message: expect.stringMatching(/dada/) },
      {
        object: 'Dashboard missing',
        change: 'create',
        message: expect.stringMatching(/knows no kind Dashboard in example\.org\/v1/),
      },
      {
        object: 'Panel brought',
        change: 'create',
        message: expect.stringMatching(/comes with this release/),
      },
      { object: 'CustomResourceDefinition panels.example.com', change: 'create' },
    ]);
  });

  it('is unknown without the right to apply, and names it', async () => {
    const reader = releases.as(await lab.kubeconfigOf('reader'));
    const because = async () => {
      const answer = await reader.diff(name, asManifest(web), '', { forceConflicts: false });
      return answer.kind === 'unknown' ? answer.because : answer.kind;
    };
    expect(await because()).toMatch(
      /\(403\): reader may not get deployments\.apps in the namespace diff\. Bind a role that has the verb "get"/,
    );
    await lab.api.create('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }],
    });
    await lab.api.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
    });
    await expect
      .poll(because)
      .toMatch(
        /\(403\): reader may not patch deployments\.apps in the namespace diff\. Bind a role that has the verb "patch"/,
      );
  });

  it('is unknown where the manifest cannot be read, without a word of it', async () => {
    const answer = await releases.objects.diff(name, 'kind: Secret\ndata: [hunter2', '', {
      forceConflicts: false,
    });
    expect(answer).toEqual({
      kind: 'unknown',
      because: 'The manifest is no YAML: see its line 2',
    });
  });

  it('tells what a webhook does not let be tried', async () => {
    await lab.api.create('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
      metadata: { name: 'with-effects' },
      webhooks: [
        {
          ...{ name: 'effects.example.org', sideEffects: 'NoneOnDryRun', admissionReviewVersions: ['v1'] },
          clientConfig: { service: { name: 'nowhere', namespace: 'default' } },
          matchConditions: [{ name: 'named', expression: 'object.metadata.name == "watched"' }],
          rules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
          ],
        },
      ],
    });
    await expect
      .poll(() => diff(asManifest(configMap('watched', { a: '1' })), ''))
      .toEqual([
        {
          ...{ object: 'ConfigMap watched', change: 'refused' },
          message: expect.stringMatching(/failed calling webhook "effects\.example\.org"/),
        },
      ]);
  });

  it('is found in seconds for a large chart', async () => {
    const many = Array.from({ length: 200 }, (_, index) => configMap(`m-${index}`, { a: '1' }));
    const startedAt = performance.now();
    expect(await diff(asManifest(...many), '')).toHaveLength(200);
    const durationMs = performance.now() - startedAt;
    console.log(`200 objects compared in ${Math.round(durationMs)} ms`);
    expect(durationMs).toBeLessThan(30_000);
  });
});

describe('the drift of a release', () => {
  const name = release('drift');
  const autoscaler = {
    ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'scaled' } },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' },
      ...{ minReplicas: 1, maxReplicas: 3 },
    },
  };
  const webhook = {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' },
    metadata: { name: 'drift-webhook' },
    webhooks: [
      {
        ...{
          name: 'a.example.org',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          failurePolicy: 'Ignore',
        },
        clientConfig: { service: { name: 'a', namespace: 'drift' }, caBundle: 'Cg==' },
        rules: [
          { apiGroups: ['example.org'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['none'] },
        ],
      },
    ],
  };

  it('is what others have changed, and what is gone', async () => {
    const manifest = await releases.install(
      name,
      deployment('web', {}, { replicas: 1 }),
      deployment('scaled', {}, { replicas: 1 }),
      configMap('settings', { a: '1', b: '2' }),
      configMap('gone', { a: '1' }),
      autoscaler,
      webhook,
    );
    const drift = async () => summary(valueOf(await releases.objects.drift(name, manifest)));
    expect(await drift()).toEqual([]);
    const edit = (path: string, patch: object) => lab.api.patch(`${path}?fieldManager=kubectl-edit`, patch);
    await edit('/apis/apps/v1/namespaces/drift/deployments/web', { spec: { replicas: 4 } });
    await edit('/apis/apps/v1/namespaces/drift/deployments/scaled', { spec: { replicas: 3 } });
    await edit('/api/v1/namespaces/drift/configmaps/settings', {
      metadata: { labels: { note: 'mine' } },
      data: { a: '3', b: null, c: '4' },
    });
    await edit('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/drift-webhook', {
      webhooks: [
        { ...webhook.webhooks[0], clientConfig: { ...webhook.webhooks[0]?.clientConfig, caBundle: 'Cgo=' } },
      ],
    });
    await remove('/api/v1/namespaces/drift/configmaps/gone');
    expect(await drift()).toEqual(
      expect.arrayContaining([
        { object: 'Deployment web', change: 'change', fields: [['spec.replicas', '4', '1']] },
        {
          object: 'ConfigMap settings',
          change: 'change',
          fields: [
            ['data.a', '"3"', '"1"'],
            ['data.b', null, '"2"'],
          ],
        },
        { object: 'ConfigMap gone', change: 'create', message: 'It is gone' },
      ]),
    );
    expect(await drift()).toHaveLength(3);
  });
});

describe('the endpoints of a release', () => {
  it('are those that were given, and those that were asked for', async () => {
    const name = release('endpoints');
    const service = (of: string, spec: object, annotations: object = {}) => ({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: of, annotations } },
      spec: { selector: { app: of }, ports: [{ name: 'http', port: 80 }], ...spec },
    });
    const manifest = await releases.install(
      name,
      service('inside', {}),
      service('headless', { clusterIP: 'None' }),
      service('nodes', { type: 'NodePort', ports: [{ port: 53, protocol: 'UDP', nodePort: 30053 }] }),
      service('registry', { type: 'LoadBalancer' }, { 'metallb.io/loadBalancerIPs': '10.0.0.10' }),
      {
        ...{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'ui' } },
        spec: {
          tls: [{ hosts: ['ui.home.lab'] }],
          rules: [
            {
              host: 'ui.home.lab',
              http: {
                paths: [
                  {
                    path: '/',
                    pathType: 'Prefix',
                    backend: { service: { name: 'inside', port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      },
    );
    const endpoints = async () => {
      const found = valueOf(await releases.objects.endpoints(name, manifest));
      return Object.fromEntries(found.map((endpoint) => [endpoint.name, endpoint]));
    };
    const http = { name: 'http', port: 80, protocol: 'TCP' };
    expect(await endpoints()).toEqual({
      inside: {
        ...{ name: 'inside', kind: 'ClusterIP', wanted: [], ports: [http] },
        hosts: [expect.stringMatching(/^10\.43\./)],
      },
      nodes: {
        ...{ name: 'nodes', kind: 'NodePort', wanted: [] },
        hosts: ['10.0.0.100', '10.0.0.101', '10.0.0.102', '10.0.0.103'],
        ports: [{ name: null, port: 30053, protocol: 'UDP' }],
      },
      registry: { name: 'registry', kind: 'LoadBalancer', hosts: [], wanted: ['10.0.0.10'], ports: [http] },
      ui: {
        ...{ name: 'ui', kind: 'Ingress', hosts: ['ui.home.lab'], wanted: [] },
        ports: [http, { name: 'https', port: 443, protocol: 'TCP' }],
      },
    });
    await releases.writeStatus('/api/v1/namespaces/endpoints/services/registry', {
      loadBalancer: { ingress: [{ ip: '10.0.0.10' }] },
    });
    expect((await endpoints()).registry).toMatchObject({ hosts: ['10.0.0.10'], wanted: ['10.0.0.10'] });
  });
});

describe('what an uninstallation leaves behind', () => {
  it('is claims of stateful sets, what is to be kept, and definitions of kinds', async () => {
    const name = release('leftovers');
    const claim = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
    const set = (of: string, spec: object = {}) => ({
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: of } },
      spec: {
        ...{ serviceName: of, selector: { matchLabels: { app: of } }, template: podTemplate(of) },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, ...claim }],
        ...spec,
      },
    });
    const widgets = {
      ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
      metadata: { name: 'widgets.example.net' },
      spec: {
        ...{ group: 'example.net', scope: 'Namespaced', names: { kind: 'Widget', plural: 'widgets' } },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    };
    const manifest = await releases.install(
      name,
      widgets,
      { apiVersion: 'example.net/v1', kind: 'Widget', metadata: { name: 'one' } },
      set('registry'),
      set('cache', { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' } }),
      configMap('kept', { a: '1' }, { annotations: { 'helm.sh/resource-policy': 'keep' } }),
    );
    const leftovers = async () =>
      valueOf(await releases.objects.leftovers(name, manifest)).map((ref) => `${ref.kind} ${ref.name}`);
    const left = [
      'PersistentVolumeClaim data-registry-0',
      'ConfigMap kept',
      'CustomResourceDefinition widgets.example.net',
    ];
    await expect.poll(leftovers).toEqual(left);
    await releases.uninstall(name);
    expect(await leftovers()).toEqual(left);
  });
});

describe('the cluster', () => {
  it('tells what it is, even where an extension of its API is broken', async () => {
    await lab.api.create('/apis/apiregistration.k8s.io/v1/apiservices', {
      ...{
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1.broken.example.org' },
      },
      spec: {
        ...{ group: 'broken.example.org', version: 'v1', groupPriorityMinimum: 100, versionPriority: 100 },
        service: { name: 'nowhere', namespace: 'default' },
      },
    });
    const { version, nodes, kinds } = valueOf(await releases.objects.capabilities());
    expect(version).toMatch(/^1\.36\.\d+$/);
    expect(nodes).toHaveLength(4);
    expect(nodes[3]).toEqual({
      ...{ name: 'kv-worker-2', architecture: 'amd64', memoryMebibytes: 15_883, kernel: '6.1.0-37-amd64' },
    });
    expect([...kinds]).toEqual(
      expect.arrayContaining(['v1/Service', 'apps/v1/Deployment', 'networking.k8s.io/v1/Ingress']),
    );
  });

  it('is asked by a token as well as by a certificate', async () => {
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    await lab.api.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'view-nodes' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
    });
    const { body } = await lab.api.ask('POST', `${account}/token`, { spec: { expirationSeconds: 600 } });
    const config = JSON.parse(readFileSync(lab.kubeconfig, 'utf8')) as { users: { user: object }[] };
    config.users[0] = {
      ...config.users[0],
      user: { token: (body as { status: { token: string } }).status.token },
    };
    const file = releases.file('token', JSON.stringify(config));
    await expect.poll(async () => (await releases.as(file).capabilities()).kind).toBe('present');
  });

  it('gets namespaces with labels, and keeps those that others have put on', async () => {
    const labels = async (namespace: string) =>
      (
        (await lab.api.get(`/api/v1/namespaces/${namespace}`)) as {
          metadata: { labels: Record<string, string> };
        }
      ).metadata.labels;
    const enforce = 'pod-security.kubernetes.io/enforce';
    expect(await releases.objects.ensureNamespace('made', { [enforce]: 'baseline' })).toEqual({
      kind: 'present',
      value: true,
    });
    await lab.api.patch('/api/v1/namespaces/made', { metadata: { labels: { team: 'hpc' } } });
    await releases.objects.ensureNamespace('made', { [enforce]: 'privileged' });
    await releases.objects.ensureNamespace('made', {});
    expect(await labels('made')).toEqual({
      'kubernetes.io/metadata.name': 'made',
      ...{ [enforce]: 'privileged', team: 'hpc' },
    });
    expect(await releases.objects.ensureNamespace('No Name', {})).toEqual({
      kind: 'unknown',
      because: expect.stringMatching(/answered with 422: .*No Name/),
    });
    await lab.api.patch('/api/v1/namespaces/made', { metadata: { finalizers: ['example.org/hold'] } });
    await remove('/api/v1/namespaces/made');
    expect(await releases.objects.ensureNamespace('made', {})).toEqual({
      kind: 'unknown',
      because: expect.stringMatching(/The namespace made is being removed/),
    });
    await lab.api.patch('/api/v1/namespaces/made', { metadata: { finalizers: null } });
  });

  it('is not waited for longer than allowed, and no connection is left', async () => {
    const sockets = () =>
      readdirSync('/proc/self/fd').filter((descriptor) => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
        } catch {
          return false;
        }
      }).length;
    const before = sockets();
    lab.freezeApiServer();
    try {
      expect(await releases.as(lab.kubeconfig, 500).capabilities()).toEqual({
        kind: 'unknown',
        because: expect.stringMatching(/has not answered within 500 ms$/),
      });
    } finally {
      lab.thawApiServer();
    }
    for (let turn = 0; turn < 3; turn++) valueOf(await releases.objects.capabilities());
    await expect.poll(sockets).toBeLessThanOrEqual(before);
    expect((await releases.as('/nonexistent').capabilities()).kind).toBe('unknown');
  });
});
