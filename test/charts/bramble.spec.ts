import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  apiConfigurationSchema,
  parseConfiguration,
  workerConfigurationSchema,
} from '#core/configuration/configuration';
import { IN_NAMESPACES_OF_SERVICES } from '#infra/kubernetes/services/chart-values';
import { CHECKOUT } from '../../scripts/installation.ts';
import { existing } from '../fakes/existing.ts';
import { full, lab, oneAccount } from './bramble-values.ts';
import { chartDirectory, lintChart, only, renderChart } from './render.ts';
import type { RenderedObject } from './render.ts';
import { container, containersOf, environmentOf, workload, workloadsOf } from './workloads.ts';

const render = (values: object) => renderChart('bramble', { values });
const of = (objects: readonly RenderedObject[], kind: string) =>
  objects.filter((object) => object.kind === kind);
const names = (objects: readonly RenderedObject[], kind: string) =>
  of(objects, kind).map(({ metadata }) => metadata.name);

let labObjects: RenderedObject[];
let fullObjects: RenderedObject[];
let oneAccountObjects: RenderedObject[];
beforeAll(async () => {
  [labObjects, fullObjects, oneAccountObjects] = await Promise.all([
    render(lab),
    render(full),
    render(oneAccount),
  ]);
});

/** Of the chart's own Secret, as text. */
function generated(objects: readonly RenderedObject[]): Record<string, string> {
  const { data } = only(objects, 'Secret') as unknown as { data: Record<string, string> };
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      `bramble-generated/${key}`,
      Buffer.from(value, 'base64').toString(),
    ]),
  );
}

describe('the chart', () => {
  it.each([
    ['a lab', lab],
    ['an installation with everything of its own', full],
    ['one account for all jobs', oneAccount],
  ])('passes the strict lint for %s', async (_, values) => {
    await lintChart('bramble', values);
  });

  it('makes only objects of this release, with the recommended labels', () => {
    for (const { kind, metadata } of [...labObjects, ...fullObjects]) {
      expect(metadata.name, kind).toMatch(/^(bramble-)?bramble/);
      expect(metadata.labels, `${kind} ${metadata.name}`).toMatchObject({
        'app.kubernetes.io/name': 'bramble',
        'app.kubernetes.io/instance': 'bramble',
        'app.kubernetes.io/part-of': 'bramble',
        'app.kubernetes.io/managed-by': 'Helm',
        'app.kubernetes.io/version': expect.any(String),
        'app.kubernetes.io/component': expect.any(String),
        'helm.sh/chart': expect.stringMatching(/^bramble-/),
      });
    }
  });

  it('makes no object twice', () => {
    for (const objects of [labObjects, fullObjects]) {
      const keys = objects.map(
        ({ kind, metadata }) =>
          `${kind} ${(metadata as { namespace?: string }).namespace ?? ''}/${metadata.name}`,
      );
      expect(keys).toEqual([...new Set(keys)]);
    }
  });

  it('names images by tag, and by digest where one is given', async () => {
    const digest = `sha256:${'0f'.repeat(32)}`;
    const objects = await render({
      ...lab,
      images: { api: { repository: 'ghcr.io/a/api', tag: '1.2.3', digest }, pullSecrets: ['registry'] },
    });
    expect(containersOf(workload(objects, 'bramble-api')).map(({ image }) => image)).toEqual(
      Array.from({ length: 3 }, () => `ghcr.io/a/api:1.2.3@${digest}`),
    );
    expect(container(workload(objects, 'bramble-worker'), 'worker').image).toMatch(/\/worker:\d+\.\d+\.\d+$/);
    for (const { pod } of workloadsOf(objects))
      expect(pod).toMatchObject({ imagePullSecrets: [{ name: 'registry' }] });
  });

  it('runs what the images have', async () => {
    const scripts = workloadsOf(labObjects)
      .flatMap(containersOf)
      .flatMap(({ args = [] }) => args.filter((argument) => argument.startsWith('/app/')));
    const here = { '/app/dist/': join(CHECKOUT, 'dist'), '/app/': join(CHECKOUT, 'deploy/docker/bramble') };
    for (const script of scripts) {
      const [, inImage = '', name = ''] = /^(\/app\/(?:dist\/)?)(\w+\.js)$/.exec(script) ?? [];
      expect(existsSync(join(here[inImage as keyof typeof here], name)), script).toBe(true);
    }
    expect(new Set(scripts).size).toBe(4);
  });
});

describe('settings', () => {
  const key = randomBytes(32).toString('base64');
  const given = {
    'database/url': 'postgres://u:p@db.example/bramble',
    'queues/url': 'rediss://queues.example',
    'seals/keys': key,
  };
  const environment = (
    objects: readonly RenderedObject[],
    component: 'api' | 'worker',
    secrets: Record<string, string>,
  ) => environmentOf(container(workload(objects, `bramble-${component}`), component), secrets);

  it('are right for the api and the worker, from the least values', () => {
    const secrets = generated(labObjects);
    expect(parseConfiguration(apiConfigurationSchema, environment(labObjects, 'api', secrets))).toMatchObject(
      {
        BRAMBLE_HOST: '0.0.0.0',
        BRAMBLE_PORT: 8080,
        BRAMBLE_STORAGE_ROOT: '/srv/bramble/storage',
        BRAMBLE_STORAGE_CLUSTER_ROOT: '/srv/bramble/storage',
        BRAMBLE_STORAGE_GROUP_ID: 65532,
        DATABASE_URL: expect.stringMatching(
          /^postgres:\/\/bramble:[A-Za-z0-9]{32}@bramble-postgresql:5432\/bramble$/,
        ),
        REDIS_URL: expect.stringMatching(/^redis:\/\/:[A-Za-z0-9]{32}@bramble-redis:6379\/0$/),
      },
    );
    expect(
      parseConfiguration(workerConfigurationSchema, environment(labObjects, 'worker', secrets)),
    ).toMatchObject({
      BRAMBLE_WORKER_HOST: '0.0.0.0',
      SLURM_TRANSPORT: 'ssh',
      SLURM_SSH_USER: 'root',
      SLURM_SSH_PORT: 22,
      BRAMBLE_BOARD_ACCOUNTS: [],
    });
  });

  it('carry every value over', () => {
    expect(environment(fullObjects, 'api', given).BRAMBLE_MAX_UPLOAD_BYTES).toBe('21474836480');
    expect(parseConfiguration(apiConfigurationSchema, environment(fullObjects, 'api', given))).toMatchObject({
      ...{ DATABASE_URL: given['database/url'], REDIS_URL: given['queues/url'] },
      ...{ BRAMBLE_SECRET_KEYS: [key], BRAMBLE_DATABASE_POOL: 25, BRAMBLE_LOG_LEVEL: 'debug' },
      ...{ BRAMBLE_DOMAIN: 'pi.example', BRAMBLE_STORAGE_CLUSTER_ROOT: '/mnt/shared/storage' },
      ...{ BRAMBLE_ADMIN_ACCOUNT: 'alice', BRAMBLE_MAX_UPLOAD_BYTES: 21_474_836_480 },
      BRAMBLE_CORS_ORIGINS: ['https://lab.example', 'http://localhost:3000'],
      ...{ BRAMBLE_REGISTRY: 'http://10.0.0.10:5000', BRAMBLE_STORAGE_CLASS: 'nfs' },
      BRAMBLE_BOARD_SLURM: { host: '10.0.0.100', port: 6817 },
    });
    expect(
      parseConfiguration(workerConfigurationSchema, environment(fullObjects, 'worker', given)),
    ).toMatchObject({
      ...{ BRAMBLE_LEADER: false, BRAMBLE_BOARD_CHECK_HOURS: 0 },
      ...{ SLURM_SSH_PORT: 2222, SLURM_SSH_USER: 'bramble', SLURM_SSH_BECOME: 'sudo' },
      SLURM_BIN_DIR: '/opt/slurm/bin',
      ...{ BRAMBLE_REGISTRY: 'http://10.0.0.10:5000', BRAMBLE_STORAGE_CLASS: 'nfs' },
      BRAMBLE_BOARD_SUBNET: '192.168.7.0/24',
      BRAMBLE_BOARD_TIME_SERVERS: ['10.0.0.1', 'time.example'],
      BRAMBLE_BOARD_APT_PROXY: 'http://10.0.0.20:3142',
      BRAMBLE_BOARD_ACCOUNTS: [
        { name: 'alice', uid: 2001, gid: 2001 },
        { name: 'bob', uid: 2002, gid: 2000 },
      ],
      BRAMBLE_BOARD_MOUNTS: [{ server: '10.0.0.20', path: '/srv/home', at: '/home/shared' }],
      BRAMBLE_BOARD_SLURM: { host: '10.0.0.100', port: 6817 },
      BRAMBLE_MUNGE_KEY_FILE: '/run/bramble/munge/munge.key',
    });
  });

  it('lead to a login node, or into a pod, and what the other way needs is left out', async () => {
    const inPod = { transport: 'exec', host: '', hostKey: '', keySecret: { name: '' } };
    const objects = await render(merged(lab, { slurm: inPod, kubernetes: { slurmNamespace: 'slurm' } }));
    const worker = environment(objects, 'worker', generated(objects));
    expect(parseConfiguration(workerConfigurationSchema, worker)).toMatchObject({
      ...{ SLURM_TRANSPORT: 'exec', SLURM_BIN_DIR: '/usr/bin', SLURM_CONF: '/etc/slurm-local/slurm.conf' },
      ...{ SLURM_EXEC_NAMESPACE: 'slurm', SLURM_EXEC_CONTAINER: 'login' },
      SLURM_EXEC_SELECTOR: 'app.kubernetes.io/name=slurm,app.kubernetes.io/component=controller',
    });
    expect(Object.keys(worker).filter((name) => /^SLURM_(SSH|EXEC_POD)/.test(name))).toEqual([]);
    const { pod } = workload(objects, 'bramble-worker');
    expect(JSON.stringify(pod)).not.toContain('slurm-key');
    expect(pod.automountServiceAccountToken).toBe(true);
    expect(JSON.stringify(only(objects, 'NetworkPolicy', 'bramble-worker'))).not.toContain('"port":22}');
    expect(only(objects, 'Role', 'bramble-bramble-worker-slurm')).toMatchObject({
      metadata: { namespace: 'slurm' },
      rules: [
        { resources: ['pods'], verbs: ['list'] },
        { resources: ['pods/exec'], verbs: ['get', 'create'] },
      ],
    });
    const own = { pod: 'login-7', container: 'shell' };
    const others = await render(
      merged(lab, {
        slurm: { ...inPod, conf: '/etc/slurm/slurm.conf', binDir: '/opt/slurm/bin', exec: own },
        kubernetes: { slurmNamespace: 'hpc' },
      }),
    );
    expect(environment(others, 'worker', generated(others))).toMatchObject({
      ...{ SLURM_CONF: '/etc/slurm/slurm.conf', SLURM_EXEC_NAMESPACE: 'hpc' },
      ...{ SLURM_EXEC_POD: 'login-7', SLURM_EXEC_CONTAINER: 'shell' },
    });
    expect(only(others, 'Role', 'bramble-bramble-worker-slurm')).toMatchObject({
      metadata: { namespace: 'hpc' },
      rules: [
        { resources: ['pods'], verbs: ['get'], resourceNames: ['login-7'] },
        { resources: ['pods/exec'], verbs: ['get', 'create'], resourceNames: ['login-7'] },
      ],
    });
    expect(environment(labObjects, 'worker', generated(labObjects))).not.toHaveProperty('SLURM_CONF');
  });

  it('lead to pods that the chart of Slurm makes', async () => {
    const { template } = only(await renderChart('slurm'), 'StatefulSet').spec as {
      template: { metadata: { labels: Record<string, string> }; spec: { containers: { name: string }[] } };
    };
    const { SLURM_EXEC_SELECTOR, SLURM_EXEC_CONTAINER } = parseConfiguration(workerConfigurationSchema, {});
    for (const label of SLURM_EXEC_SELECTOR.split(',')) {
      const [name = '', value] = label.split('=');
      expect(template.metadata.labels[name]).toBe(value);
    }
    expect(template.spec.containers.map(({ name }) => name)).toContain(SLURM_EXEC_CONTAINER);
  });

  it('let Helm go through a proxy to the charts, and trust an authority of its own', async () => {
    const env = { HTTPS_PROXY: 'http://10.0.0.20:3128', NO_PROXY: '.home.lab', SSL_CERT_FILE: '/tmp/ca.crt' };
    const objects = await render({ ...lab, worker: { env } });
    expect(environment(objects, 'worker', generated(objects))).toMatchObject(env);
  });

  it('exist, each of them', () => {
    const known = {
      api: Object.keys(apiConfigurationSchema.shape),
      worker: Object.keys(workerConfigurationSchema.shape),
    };
    for (const component of ['api', 'worker'] as const)
      expect(
        Object.keys(environment(fullObjects, component, given)).filter(
          (name) => !known[component].includes(name),
        ),
      ).toEqual([]);
  });

  it('that the chart has values for cannot be given a second time', async () => {
    const set = [
      ...Object.keys(environment(fullObjects, 'api', given)),
      ...Object.keys(environment(fullObjects, 'worker', given)),
    ].filter((name) => !(name in { ...full.api.env, ...full.worker.env }));
    const refused = render({ ...lab, worker: { env: Object.fromEntries(set.map((name) => [name, 'x'])) } });
    const { message } = await refused.then(
      () => new Error('nothing was refused'),
      (error: unknown) => error as Error,
    );
    for (const name of new Set(set)) expect(message).toContain(name);
  });

  it('are read from files and directories that are mounted', () => {
    const worker = workload(fullObjects, 'bramble-worker');
    const mounts = container(worker, 'worker').volumeMounts ?? [];
    const paths = Object.entries(environment(fullObjects, 'worker', given))
      .filter(([name]) => /_(FILE|ROOT|HOME)$/.test(name) && name !== 'BRAMBLE_STORAGE_CLUSTER_ROOT')
      .map(([, path]) => path);
    expect(paths.length).toBeGreaterThan(3);
    for (const path of paths)
      expect(
        mounts.some(({ mountPath }) => `${path}/`.startsWith(`${mountPath}/`)),
        path,
      ).toBe(true);
    const volumes = (worker.pod.volumes ?? []).map(({ name }) => name);
    expect(volumes.toSorted()).toEqual(mounts.map(({ name }) => name).toSorted());
  });
});

describe('pods', () => {
  it('are closed: nothing to write to, no new privileges, bounded memory, no token', () => {
    for (const objects of [labObjects, fullObjects, oneAccountObjects]) {
      for (const { name, pod, ...rest } of workloadsOf(objects)) {
        expect(pod.securityContext.seccompProfile, name).toEqual({ type: 'RuntimeDefault' });
        const asksKubernetes =
          name === 'bramble-worker' || (objects === fullObjects && name === 'bramble-api');
        expect(pod.automountServiceAccountToken, name).toBe(asksKubernetes);
        for (const { name: inner, securityContext, resources } of containersOf({ name, pod, ...rest })) {
          expect(securityContext, `${name} ${inner}`).toMatchObject({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          expect(resources.limits.memory, `${name} ${inner}`).toMatch(/Mi$/);
        }
      }
    }
  });

  it('are not root, but for the worker and what prepares the storage', () => {
    const root = workloadsOf(labObjects).flatMap((from) =>
      containersOf(from)
        .filter(
          ({ securityContext }) => (securityContext.runAsUser ?? from.pod.securityContext.runAsUser) === 0,
        )
        .map(({ name, securityContext }) => [from.name, name, securityContext.capabilities.add]),
    );
    expect(root).toEqual([
      ['bramble-api', 'storage', ['CHOWN', 'FOWNER']],
      ['bramble-worker', 'worker', ['CHOWN', 'DAC_OVERRIDE', 'FOWNER']],
    ]);
  });

  it('are never root where all jobs run as one account', () => {
    for (const from of workloadsOf(oneAccountObjects)) {
      expect(from.pod.securityContext, from.name).toMatchObject({ runAsNonRoot: true });
      for (const { name, securityContext } of containersOf(from)) {
        expect(securityContext.capabilities.add, `${from.name} ${name}`).toBeUndefined();
        expect(securityContext.runAsNonRoot ?? true).toBe(true);
        expect(securityContext.runAsUser ?? from.pod.securityContext.runAsUser).not.toBe(0);
      }
    }
    for (const name of ['bramble-api', 'bramble-worker'])
      expect(workload(oneAccountObjects, name).pod.securityContext).toMatchObject({
        runAsUser: 2001,
        runAsGroup: 2000,
      });
  });

  it('are replaced without a gap', () => {
    for (const object of of(labObjects, 'Deployment'))
      expect(object.spec).toMatchObject({
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      });
    for (const name of ['api', 'worker']) {
      const { pod } = workload(labObjects, `bramble-${name}`);
      const { lifecycle, readinessProbe, startupProbe } = container(
        workload(labObjects, `bramble-${name}`),
        name,
      );
      expect(startupProbe).toEqual({
        httpGet: { path: '/healthz', port: 'http' },
        ...{ periodSeconds: 2, failureThreshold: 60 },
      });
      expect(readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'http' } });
      // The process gives itself 25 s.
      const pause = lifecycle?.preStop.sleep.seconds ?? 0;
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(pause + 25);
    }
  });

  it('of the database and of the queues are not restarted by a new version of the chart', () => {
    for (const name of ['bramble-postgresql', 'bramble-redis'])
      expect(Object.keys(workload(labObjects, name).labels)).not.toContain('helm.sh/chart');
  });

  it('go where the values say', () => {
    const { pod } = workload(fullObjects, 'bramble-worker');
    expect(pod).toMatchObject({
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'board' }],
      priorityClassName: 'system-cluster-critical',
      topologySpreadConstraints: [{ topologyKey: 'kubernetes.io/hostname', maxSkew: 1 }],
    });
    expect(JSON.stringify(pod)).toContain(
      JSON.stringify({ key: 'kubernetes.io/arch', operator: 'In', values: ['arm64'] }),
    );
  });
});

describe('what selects pods', () => {
  it('finds them', () => {
    for (const objects of [labObjects, fullObjects]) {
      const pods = workloadsOf(objects).map(({ labels }) => labels);
      const services = of(objects, 'Service').map(({ metadata }) => metadata.labels ?? {});
      const finds = (selector: Record<string, string>, among: Record<string, string>[]) =>
        among.filter((labels) => Object.entries(selector).every(([name, value]) => labels[name] === value))
          .length;
      for (const { kind, metadata, spec } of objects) {
        const { selector, podSelector } = (spec ?? {}) as {
          selector?: Record<string, string> & { matchLabels?: Record<string, string> };
          podSelector?: { matchLabels: Record<string, string> };
        };
        const labels = podSelector?.matchLabels ?? selector?.matchLabels ?? selector;
        if (labels === undefined) continue;
        const among = kind === 'ServiceMonitor' ? services : pods;
        expect(finds(labels, among), `${kind} ${metadata.name}`).toBe(1);
      }
    }
  });

  it('scales, protects and measures what there is', () => {
    expect(names(labObjects, 'HorizontalPodAutoscaler')).toEqual([]);
    expect(names(labObjects, 'ServiceMonitor')).toEqual([]);
    expect(names(labObjects, 'PodDisruptionBudget')).toEqual(['bramble-api', 'bramble-worker']);
    for (const kind of ['HorizontalPodAutoscaler', 'ServiceMonitor', 'PodDisruptionBudget'])
      expect(names(fullObjects, kind).toSorted()).toEqual(['bramble-api', 'bramble-worker']);
    for (const { spec } of of(fullObjects, 'Deployment')) expect(spec).not.toHaveProperty('replicas');
  });

  it('does not protect a single pod, which could then never be moved', async () => {
    const objects = await render({ ...lab, api: { replicas: 1 }, worker: { replicas: 1 } });
    expect(names(objects, 'PodDisruptionBudget')).toEqual([]);
  });
});

describe('rights', () => {
  const rules = (objects: readonly RenderedObject[]) =>
    [...of(objects, 'ClusterRole'), ...of(objects, 'Role')].map(({ metadata, rules: list }) => [
      metadata.name,
      list,
    ]);

  /** Such as `list pods`. */
  const allowed = (role: RenderedObject | undefined): string[] =>
    ((role?.rules ?? []) as { apiGroups: string[]; resources: string[]; verbs: string[] }[])
      .flatMap(({ apiGroups: [group = ''], resources, verbs }) =>
        resources.flatMap((resource) =>
          verbs.map((verb) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`),
        ),
      )
      .toSorted();

  /** Such as `networkpolicies.networking.k8s.io`. */
  const resourceOf = (apiVersion: string, kind: string): string => {
    const plural = `${kind.toLowerCase()}s`.replace(/ys$/, 'ies').replace(/sss$/, 'sses');
    return apiVersion.includes('/') ? `${plural}.${apiVersion.replace(/\/.*/, '')}` : plural;
  };

  it('are to read nodes, and no more', () => {
    expect(rules(labObjects)).toEqual([
      ['bramble-bramble-worker-nodes', [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }]],
    ]);
    expect(only(labObjects, 'ClusterRoleBinding')).toMatchObject({
      subjects: [{ kind: 'ServiceAccount', name: 'bramble-worker', namespace: 'bramble' }],
    });
  });

  it('are none, and there is no token, where the worker need not know of Kubernetes', async () => {
    const objects = await render({ ...lab, kubernetes: { nodes: false } });
    expect(rules(objects)).toEqual([]);
    expect(names(objects, 'ClusterRoleBinding')).toEqual([]);
    expect(workload(objects, 'bramble-worker').pod.automountServiceAccountToken).toBe(false);
  });

  it('of the api are to read what its views show, where they are wanted', async () => {
    expect(workload(labObjects, 'bramble-api').pod.automountServiceAccountToken).toBe(false);
    const objects = await render({ ...lab, kubernetes: { nodes: false, views: true } });
    const verbs = new Set(
      rules(objects).flatMap(([, list]) => (list as { verbs: string[] }[]).flatMap((rule) => rule.verbs)),
    );
    expect([...verbs].toSorted()).toEqual(['get', 'list']);
    expect(rules(objects)).toEqual([
      [
        'bramble-bramble-api-views',
        [
          { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list'] },
          { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
          {
            apiGroups: ['rbac.authorization.k8s.io'],
            resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
            verbs: ['list'],
          },
        ],
      ],
    ]);
    expect(only(objects, 'ClusterRoleBinding')).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: 'bramble-bramble-api-views' },
      subjects: [{ kind: 'ServiceAccount', name: 'bramble-api', namespace: 'bramble' }],
    });
    expect(workload(objects, 'bramble-api').pod.automountServiceAccountToken).toBe(true);
    expect(workload(objects, 'bramble-worker').pod.automountServiceAccountToken).toBe(false);
    const egress = (name: string, from: readonly RenderedObject[]) =>
      JSON.stringify((only(from, 'NetworkPolicy', name).spec as { egress: object[] }).egress);
    expect(egress('bramble-api', objects)).toContain('"port":6443');
    expect(egress('bramble-api', labObjects)).not.toContain('"port":6443');
    expect(egress('bramble-worker', objects)).not.toContain('"port":6443');
  });

  it('to install services are in the namespaces named', () => {
    expect(
      of(fullObjects, 'Role')
        .map(({ metadata }) => `${(metadata as { namespace?: string }).namespace ?? ''}/${metadata.name}`)
        .toSorted(),
    ).toEqual([
      'logging/bramble-bramble-api-services',
      'logging/bramble-bramble-worker-services',
      'monitoring/bramble-bramble-api-services',
      'monitoring/bramble-bramble-worker-services',
    ]);
    const [, role] = of(fullObjects, 'Role').filter(({ metadata }) => metadata.name.includes('worker'));
    expect(allowed(role)).toEqual(
      Object.entries(IN_NAMESPACES_OF_SERVICES)
        .flatMap(([what, verbs]) => verbs.map((verb) => `${verb} ${what}`))
        .toSorted(),
    );
    expect((existing(role).rules as { resources: string[] }[])[0]).toMatchObject({
      resources: ['namespaces'],
      resourceNames: ['logging'],
    });
  });

  it('to install services in the namespaces named are enough for the charts of services that are our own', async () => {
    const charts = await readdir(join(chartDirectory('bramble'), '../services'));
    const objects = (await Promise.all(charts.map((chart) => renderChart(chart)))).flat();
    const needed = new Set(objects.map(({ apiVersion, kind }) => resourceOf(apiVersion, kind)));
    expect([...needed]).toContain('statefulsets.apps');
    for (const what of needed) expect(IN_NAMESPACES_OF_SERVICES[what], what).toContain('patch');
  });

  it('to install services are a little in the whole cluster: its nodes, storage classes, and images to mirror', async () => {
    const services = { scope: 'namespaces', namespaces: ['apps'] };
    const inCluster = async (kubernetes: object) =>
      of(
        await render({ ...lab, kubernetes: { nodes: false, services, ...kubernetes } }),
        'ClusterRole',
      ).flatMap(allowed);
    expect(await inCluster({})).toEqual(['list nodes', 'get storageclasses.storage.k8s.io']);
    expect(await inCluster({ registry: 'http://10.0.0.10:5000' })).toEqual([
      'list nodes',
      ...['get storageclasses.storage.k8s.io', 'list pods'],
    ]);
  });

  it('to install services are everything where charts grant rights, and the api reads the same as before', async () => {
    const objects = await render({ ...lab, kubernetes: { nodes: false, services: { scope: 'cluster' } } });
    expect(only(objects, 'ClusterRoleBinding', 'bramble-bramble-worker-services')).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
    });
    expect(names(objects, 'ClusterRole')).toEqual(['bramble-bramble-api-services']);
    const [inNamespaces] = of(fullObjects, 'Role').filter(({ metadata }) => metadata.name.includes('api'));
    expect(only(objects, 'ClusterRole').rules).toEqual(inNamespaces?.rules);
    expect(workload(objects, 'bramble-api').pod.automountServiceAccountToken).toBe(true);
    for (const name of ['bramble-api', 'bramble-worker'])
      expect(JSON.stringify(only(objects, 'NetworkPolicy', name))).toContain('"port":6443');
  });

  it.each([
    ['http://10.0.0.10:5000', 5000],
    ['http://registry.home.lab', 80],
    ['https://registry.home.lab/', 443],
  ])('to reach the registry %s are given by port', async (registry, port) => {
    const objects = await render({ ...lab, kubernetes: { registry } });
    for (const name of ['bramble-api', 'bramble-worker'])
      expect(JSON.stringify(only(objects, 'NetworkPolicy', name))).toContain(
        `[{"protocol":"TCP","port":${port}}]`,
      );
  });

  it('to call one another are given by network policies', () => {
    expect(names(labObjects, 'NetworkPolicy')).toEqual([
      'bramble-api',
      'bramble-worker',
      'bramble-postgresql',
      'bramble-redis',
    ]);
    expect(only(labObjects, 'NetworkPolicy', 'bramble-postgresql').spec).toMatchObject({ egress: [] });
    expect(only(fullObjects, 'NetworkPolicy', 'bramble-api').spec).toMatchObject({
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: { 'app.kubernetes.io/component': 'test' } } },
            { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } },
            { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
          ],
        },
      ],
    });
  });
});

describe('the storage', () => {
  it('on NFS is a volume that only this claim takes, and that deletes nothing', () => {
    expect(only(labObjects, 'PersistentVolume').spec).toMatchObject({
      persistentVolumeReclaimPolicy: 'Retain',
      accessModes: ['ReadWriteMany'],
      claimRef: { namespace: 'bramble', name: 'bramble-storage' },
      nfs: { server: '10.0.0.20', path: '/srv/bramble' },
    });
    expect(only(labObjects, 'PersistentVolumeClaim').spec).toMatchObject({
      storageClassName: '',
      volumeName: 'bramble-bramble-storage',
    });
  });

  it('of a class outlives the release', async () => {
    const objects = await render({ ...lab, storage: { storageClass: 'nfs', clusterRoot: '/srv/bramble' } });
    expect(names(objects, 'PersistentVolume')).toEqual([]);
    expect(only(objects, 'PersistentVolumeClaim')).toMatchObject({
      metadata: { annotations: { 'helm.sh/resource-policy': 'keep' } },
      spec: { storageClassName: 'nfs' },
    });
  });

  it('that is there is used', () => {
    expect(names(fullObjects, 'PersistentVolumeClaim')).toEqual([]);
    expect(workload(fullObjects, 'bramble-api').pod.volumes).toContainEqual({
      name: 'storage',
      persistentVolumeClaim: { claimName: 'shared' },
    });
  });
});

describe('secrets', () => {
  it('are made where none is given, and kept', () => {
    expect(only(labObjects, 'Secret').metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    expect(Object.keys(generated(labObjects)).toSorted()).toEqual(
      [
        ...['BRAMBLE_SECRET_KEYS', 'DATABASE_URL', 'POSTGRES_PASSWORD'],
        ...['REDIS_PASSWORD', 'REDIS_URL', 'redis.conf'],
      ].map((name) => `bramble-generated/${name}`),
    );
    expect(names(fullObjects, 'Secret')).toEqual([]);
  });

  it('stand in nothing but Secrets', () => {
    const elsewhere = JSON.stringify(labObjects.filter(({ kind }) => kind !== 'Secret'));
    for (const [name, value] of Object.entries(generated(labObjects)))
      expect(elsewhere.includes(value.trim()), name).toBe(false);
  });
});

describe('dashboards', () => {
  it('come as they are, for the sidecar of Grafana', async () => {
    const directory = join(chartDirectory('bramble'), 'dashboards');
    const files = (await readdir(directory)).filter((name) => name.endsWith('.json'));
    const maps = of(fullObjects, 'ConfigMap');
    expect(maps).toHaveLength(files.length);
    for (const { metadata, data } of maps as unknown as (RenderedObject & {
      data: Record<string, string>;
    })[]) {
      expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' });
      for (const [name, content] of Object.entries(data))
        expect(content).toBe(await readFile(join(directory, name), 'utf8'));
    }
    expect(names(labObjects, 'ConfigMap')).toEqual([]);
  });
});

describe('values that are not right', () => {
  it('are all named at once, each with its remedy', async () => {
    await expect(render({})).rejects.toThrow(
      /postgresql\.existingSecret names a Secret[^]*storage\.existingClaim, storage\.nfs and storage\.storageClass[^]*storage\.clusterRoot is missing[^]*slurm\.host is missing[^]*slurm\.hostKey is missing[^]*slurm\.keySecret\.name is missing/,
    );
  });

  it.each<[string, object, RegExp]>([
    ['a name that does not exist', { replicas: 3 }, /replicas/],
    ['a misspelt name further down', { api: { replica: 3 } }, /\/api[^]*replica/],
    ['no replicas', { api: { replicas: 0 } }, /\/api\/replicas[^]*minimum/],
    ['a key that is none', { slurm: { hostKey: 'ssh-ed25519 AAAA' } }, /\/slurm\/hostKey/],
    ['a digest that is none', { images: { api: { digest: 'sha256:12' } } }, /\/images\/api\/digest/],
    ['an architecture without images', { scheduling: { architectures: ['armv7'] } }, /architectures/],
    ['half an account', { account: { uid: 2001 } }, /\/account[^]*gid/],
    ['root as the account', { account: { uid: 0, gid: 0 } }, /\/account\/uid/],
    ['two databases', { postgresql: { existingSecret: 'mine' } }, /postgresql\.enabled and .*exclude/],
    ['two queues', { redis: { existingSecret: 'mine' } }, /redis\.enabled and .*exclude/],
    ['two storages', { storage: { existingClaim: 'shared' } }, /exactly one of/],
    ['half an export', { storage: { nfs: { path: '' } } }, /storage\.nfs needs both/],
    ['setpriv without root', { slurm: { user: 'bramble' } }, /slurm\.become=setpriv needs slurm\.user=root/],
    ['boards without a key', { boards: { slurmctld: '10.0.0.100:6817' } }, /boards\.mungeKeySecret\.name/],
    [
      'pods of no namespace',
      { slurm: { transport: 'exec' } },
      /transport=exec needs kubernetes\.slurmNamespace/,
    ],
    ['no labels', { slurm: { exec: { selector: 'slurm' } } }, /\/slurm\/exec\/selector/],
    ['no namespaces', { kubernetes: { services: { scope: 'namespaces' } } }, /services\.namespaces/],
    [
      'a scale upside down',
      { api: { autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 2 } } },
      /minReplicas is above maxReplicas/,
    ],
  ])('%s', async (_, values, message) => {
    await expect(render(merged(lab, values))).rejects.toThrow(message);
  });
});

/** As Helm merges values: maps deeply, anything else is replaced. */
function merged(base: object, change: object): object {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(change) as [string, unknown][]) {
    const old = result[name];
    result[name] = isMap(old) && isMap(value) ? merged(old, value) : value;
  }
  return result;
}

const isMap = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
