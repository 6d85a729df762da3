import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { KubernetesUnavailable } from '#core/cluster/kubernetes-nodes';
import { ApiKubernetesNodes } from '#infra/kubernetes/api-kubernetes-nodes';
import { findKubernetes } from '#infra/kubernetes/kubernetes-access';
import { ensureAuthority } from '../../lab/kube/certificates.ts';
import { type KubeLab, kubeDown, kubeUp } from '../../lab/kube/kube-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-kube-nodes`;
/** The first time on a machine the programs are built. */
const BUILD_TIMEOUT_MS = 45 * 60_000;
let lab: KubeLab;
let scratch: string;
beforeAll(async () => {
  lab = await kubeUp({ dir: DIRECTORY });
  scratch = mkdtempSync(join(tmpdir(), 'bramble-kube-nodes-'));
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  await kubeDown(DIRECTORY);
  rmSync(scratch, { recursive: true, force: true });
});
afterEach(() => vi.unstubAllEnvs());

const nodes = (file = lab.kubeconfig, timeoutMs = 20_000) =>
  new ApiKubernetesNodes({ access: { kind: 'kubeconfig', file }, timeoutMs });

interface Kubeconfig {
  clusters: { cluster: Record<string, unknown> }[];
}

/** The admin's kubeconfig, with another cluster. */
function kubeconfigWith(name: string, change: Record<string, unknown>): string {
  const config = JSON.parse(readFileSync(lab.kubeconfig, 'utf8')) as Kubeconfig;
  for (const { cluster } of config.clusters) Object.assign(cluster, change);
  const file = join(scratch, name);
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

function isSocket(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
  } catch {
    return false;
  }
}

async function failure(asked: Promise<unknown>): Promise<{ message: string; durationMs: number }> {
  const startedAt = performance.now();
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KubernetesUnavailable);
  return { message: (error as Error).message, durationMs: performance.now() - startedAt };
}

describe('the nodes of a real control plane', () => {
  it('are listed in order of name', async () => {
    const listed = await nodes().list();
    expect(listed.map(({ name, roles, architecture }) => [name, roles, architecture])).toEqual([
      ['kv-master-0', ['control-plane'], 'arm64'],
      ['kv-worker-0', ['worker'], 'arm64'],
      ['kv-worker-1', ['worker'], 'arm64'],
      ['kv-worker-2', ['worker'], 'amd64'],
    ]);
    expect(listed[0]).toEqual({
      name: 'kv-master-0',
      ready: true,
      unschedulable: false,
      problems: [],
      roles: ['control-plane'],
      addresses: [
        { type: 'InternalIP', address: '10.0.0.100' },
        { type: 'Hostname', address: 'kv-master-0' },
        { type: 'ExternalIP', address: '127.0.0.1' },
      ],
      kubeletVersion: expect.stringMatching(/^v1\.36\.\d+\+k3s1$/) as string,
      architecture: 'arm64',
      osImage: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.12.34+rpt-rpi-v8',
      cpus: 4,
      memoryMebibytes: 7937,
      createdAt: expect.stringMatching(/^20\d\d-/) as string,
    });
  });

  it('tell that one is cordoned', async () => {
    const cordon = (unschedulable: boolean | null) =>
      lab.api.patch('/api/v1/nodes/kv-worker-1', { spec: { unschedulable } });
    const cordoned = async () =>
      (await nodes().list()).filter((node) => node.unschedulable).map(({ name }) => name);
    await cordon(true);
    expect(await cordoned()).toEqual(['kv-worker-1']);
    await cordon(null);
    expect(await cordoned()).toEqual([]);
  });

  it('are refused to a user who may not list them', async () => {
    const { message } = await failure(nodes(await lab.kubeconfigOf('mallory')).list());
    expect(message).toMatch(/does not allow it \(403\): nodes is forbidden: User "mallory" cannot list/);
  });

  it('are listed by the service account of a pod', async () => {
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    await lab.api.create('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name: 'node-reader' },
      rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }],
    });
    await lab.api.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'node-reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'node-reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
    });
    const token = await lab.api.ask('POST', `${account}/token`, { spec: { expirationSeconds: 600 } });
    const secrets = join(scratch, 'var/run/secrets/kubernetes.io/serviceaccount');
    mkdirSync(secrets, { recursive: true });
    writeFileSync(join(secrets, 'token'), (token.body as { status: { token: string } }).status.token);
    writeFileSync(join(secrets, 'ca.crt'), readFileSync(lab.authority));
    const { hostname, port } = new URL(lab.url);
    vi.stubEnv('KUBERNETES_SERVICE_HOST', hostname);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', port);
    const access = findKubernetes(undefined, process.env, scratch);
    expect(access).toEqual({ kind: 'service-account', rootDirectory: scratch });
    if (access === undefined) return;
    expect(await new ApiKubernetesNodes({ access, timeoutMs: 20_000 }).list()).toHaveLength(4);
  });

  it('are not asked for where no cluster is configured', () => {
    expect(findKubernetes(undefined, {})).toBeUndefined();
    expect(
      findKubernetes(undefined, { KUBERNETES_SERVICE_HOST: '10.43.0.1' }, join(scratch, 'none')),
    ).toBeUndefined();
    expect(findKubernetes('/etc/kubeconfig', {})).toEqual({ kind: 'kubeconfig', file: '/etc/kubeconfig' });
  });

  it('are not asked for from a server that another authority has signed, or none vouches for', async () => {
    const directory = join(scratch, 'other');
    mkdirSync(directory);
    const { certificate } = await ensureAuthority(directory);
    const other = readFileSync(certificate).toString('base64');
    const wrong = kubeconfigWith('wrong-authority', { 'certificate-authority-data': other });
    expect((await failure(nodes(wrong).list())).message).toMatch(
      /shows a certificate that is not to be trusted/,
    );
    const careless = kubeconfigWith('careless', { 'insecure-skip-tls-verify': true });
    expect((await failure(nodes(careless).list())).message).toMatch(
      /does not say how https:\S+ is recognised/,
    );
    const plain = kubeconfigWith('plain', { server: lab.url.replace('https', 'http') });
    expect((await failure(nodes(plain).list())).message).toMatch(/does not say how http:\S+ is recognised/);
  });

  it('are not known where the kubeconfig is missing or broken', async () => {
    expect((await failure(nodes('/nonexistent').list())).message).toMatch(
      /^The kubeconfig \/nonexistent cannot be read: ENOENT/,
    );
    const broken = join(scratch, 'broken');
    writeFileSync(broken, 'clusters: [');
    expect((await failure(nodes(broken).list())).message).toMatch(/cannot be read/);
    writeFileSync(broken, 'apiVersion: v1\nkind: Config\n');
    expect((await failure(nodes(broken).list())).message).toMatch(/names no cluster|cannot be read/);
  });

  it('are not waited for longer than allowed', async () => {
    lab.freezeApiServer();
    try {
      const { message, durationMs } = await failure(nodes(lab.kubeconfig, 500).list());
      expect(message).toMatch(/has not answered within 500 ms$/);
      expect(durationMs).toBeLessThan(20_000);
    } finally {
      lab.thawApiServer();
    }
    expect(await nodes().list()).toHaveLength(4);
  });

  it('leave no connection behind', async () => {
    const connections = () => readdirSync('/proc/self/fd').filter(isSocket).length;
    const before = connections();
    for (let turn = 0; turn < 5; turn++) await nodes().list();
    await expect.poll(connections).toBeLessThanOrEqual(before);
  });

  it('are unknown while the API server is away, and known again afterwards', async () => {
    await lab.killApiServer();
    try {
      expect((await failure(nodes().list())).message).toMatch(/cannot be asked: /);
    } finally {
      await lab.startApiServer();
    }
    expect(await nodes().list()).toHaveLength(4);
  });
});

describe("the lab's control plane", () => {
  it('runs a chart that asks for its version', async () => {
    const chart = join(scratch, 'chart');
    mkdirSync(join(chart, 'templates'), { recursive: true });
    writeFileSync(
      join(chart, 'Chart.yaml'),
      'apiVersion: v2\nname: hello\nversion: 0.1.0\nkubeVersion: ">=1.36.0"\n',
    );
    const labels = { app: 'hello' };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'hello' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            nodeSelector: { 'kubernetes.io/arch': 'arm64' },
            containers: [{ name: 'hello', image: 'hello' }],
          },
        },
      },
    };
    writeFileSync(join(chart, 'templates/deployment.yaml'), JSON.stringify(deployment));
    const installed = await lab.helm(
      'install',
      'hello',
      chart,
      '--wait=watcher',
      '--timeout=300s',
      '-o',
      'json',
    );
    expect(installed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(installed.stdout)).toMatchObject({ info: { status: 'deployed' } });
  });
});
