import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeDown, kubeUp } from '../lab/kube/kube-lab.ts';
import type { KubeLab } from '../lab/kube/kube-lab.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { chartDirectory } from './render.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-own-charts`;
const WAIT = ['--wait=watcher', '--timeout=300s'];
const SLURM = '/apis/apps/v1/namespaces/slurm/statefulsets/slurm';
const NETBOOT = '/apis/apps/v1/namespaces/netboot/deployments/netboot';
const MUNGE = '/api/v1/namespaces/slurm/secrets/slurm-munge';
const EXEC = '--set-json=exec=[{"namespace":"bramble","serviceAccount":"worker"}]';

let cluster: KubeLab;

beforeAll(async () => {
  cluster = await kubeUp({ dir: DIRECTORY, log: console.log });
  for (const name of ['slurm', 'netboot', 'objects'])
    await cluster.api.create('/api/v1/namespaces', {
      metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': PRIVILEGES[name] } },
    });
  // Nobody provides volumes here.
  await cluster.api.create('/api/v1/persistentvolumes', {
    metadata: { name: 'state' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/state' } },
  });
}, 7_200_000);

afterAll(() => kubeDown(DIRECTORY));

/** What namespaces have to permit: netboot is on the network of its node. */
const PRIVILEGES: Record<string, string> = {
  ...{ slurm: 'baseline', netboot: 'privileged', objects: 'restricted' },
};

/** @throws Error with what Helm says */
async function helm(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.helm(...words);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

const install = (chart: string, ...options: string[]) =>
  helm('upgrade', '--install', chart, chartDirectory(chart), `--namespace=${chart}`, ...WAIT, ...options);

interface Found {
  data: Record<string, string>;
  status: { readyReplicas?: number };
  spec: { template: { metadata: { annotations: Record<string, string> } } };
}

const get = async (path: string) => (await cluster.api.get(path)) as Found;
const checksum = async () => (await get(SLURM)).spec.template.metadata.annotations['checksum/config'];

async function mayExec(verb: string, pod: string): Promise<boolean> {
  const { body } = await cluster.api.ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: 'system:serviceaccount:bramble:worker',
      resourceAttributes: { verb, resource: 'pods', subresource: 'exec', namespace: 'slurm', name: pod },
    },
  });
  return (body as { status: { allowed: boolean } }).status.allowed;
}

describe('the chart slurm on a real control plane', () => {
  let key: string | undefined;

  it('installs and becomes ready, under the baseline of pod security', async () => {
    expect(await install('slurm')).toContain('exec --namespace slurm slurm-0 -- sinfo');
    expect((await get(SLURM)).status.readyReplicas).toBe(1);
    key = (await get(MUNGE)).data['munge.key'];
    expect(Buffer.from(key ?? '', 'base64')).toHaveLength(128);
  });

  it('keeps its key over an upgrade, and restarts the controller for what its configuration says', async () => {
    const before = await checksum();
    await install('slurm', '--set-json=accounts=[{"name":"ada","uid":2001,"gid":2001}]');
    expect(await checksum()).toBe(before);
    await install('slurm', '--set=settings.MinJobAge=60', EXEC);
    expect(await checksum()).not.toBe(before);
    expect((await get(MUNGE)).data['munge.key']).toBe(key);
  });

  it('lets who is named run commands in the controller, and nowhere else', async () => {
    expect(await mayExec('create', 'slurm-0')).toBe(true);
    expect(await mayExec('create', 'another')).toBe(false);
    expect(await mayExec('delete', 'slurm-0')).toBe(false);
  });

  it('rolls back', async () => {
    const changed = await checksum();
    await helm('rollback', 'slurm', '1', '--namespace=slurm', ...WAIT);
    expect(await checksum()).not.toBe(changed);
    expect((await get(SLURM)).status.readyReplicas).toBe(1);
  });

  it('leaves key and state when it is uninstalled, and finds both again', async () => {
    await helm('uninstall', 'slurm', '--namespace=slurm', '--wait');
    expect((await cluster.api.ask('GET', SLURM)).status).toBe(404);
    expect((await get(MUNGE)).data['munge.key']).toBe(key);
    await install('slurm');
    expect((await get(MUNGE)).data['munge.key']).toBe(key);
    expect((await get(SLURM)).status.readyReplicas).toBe(1);
  });
});

describe('the chart netboot on a real control plane', () => {
  it('installs on its node, upgrades, rolls back and goes', async () => {
    await install('netboot');
    expect((await get(NETBOOT)).status.readyReplicas).toBe(1);
    const pods = (await cluster.api.get('/api/v1/namespaces/netboot/pods')) as {
      items: { spec: { nodeName: string } }[];
    };
    expect(pods.items.map(({ spec }) => spec.nodeName)).toEqual(['kv-worker-0']);
    await install('netboot', '--set=dhcp.mode=proxy');
    await helm('rollback', 'netboot', '1', '--namespace=netboot', ...WAIT);
    await helm('uninstall', 'netboot', '--namespace=netboot', '--wait');
    expect((await cluster.api.ask('GET', NETBOOT)).status).toBe(404);
  });
});

describe('the chart objects on a real control plane', () => {
  const LIST = '/api/v1/namespaces/objects/configmaps/list';
  const given = (data: object) =>
    `--set-json=objects=${JSON.stringify([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'list' }, data }])}`;
  const colour = async () => (await get(LIST)).data.colour;

  it('gives what it is given, goes back from what is refused, and goes', async () => {
    await install('objects', given({ colour: 'blue' }));
    await install('objects', given({ colour: 'red' }));
    expect(await colour()).toBe('red');
    await expect(
      install('objects', '--rollback-on-failure', given({ colour: { no: 'text' } })),
    ).rejects.toThrow(/colour|expected/);
    expect(await colour()).toBe('red');
    await helm('rollback', 'objects', '1', '--namespace=objects', ...WAIT);
    expect(await colour()).toBe('blue');
    await helm('uninstall', 'objects', '--namespace=objects', '--wait');
    expect((await cluster.api.ask('GET', LIST)).status).toBe(404);
  });
});
