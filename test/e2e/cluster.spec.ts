import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Bramble, type Enrolment, fileFrom, type Operation } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '../lab/database/database-server.ts';
import { RedisServer } from '../lab/database/redis-server.ts';
import {
  chartOf,
  type ClusterLab,
  clusterUp,
  MACHINE,
  SHARED,
  STORAGE_BOARD,
} from '../lab/cluster/cluster-lab.ts';
import { BRAMBLE, NETBOOT, SHARED_CLAIM } from '../lab/cluster/prepare-namespaces.ts';
import { execInPod } from '../lab/kube/exec-in-pod.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';

const PI = fileURLToPath(new URL('../../examples/pi.c', import.meta.url));
const PODS = `/api/v1/namespaces/${BRAMBLE}/pods`;

interface ContainerStatus {
  ready: boolean;
  restartCount: number;
  imageID: string;
  state: { waiting?: { reason: string } };
}
interface Pod {
  metadata: { name: string; deletionTimestamp?: string };
  status: { phase: string; initContainerStatuses?: ContainerStatus[]; containerStatuses?: ContainerStatus[] };
}

let database: FreshDatabase;
let redis: RedisServer;
let cluster: ClusterLab;

beforeAll(async () => {
  database = await freshDatabase();
  redis = await RedisServer.start();
  cluster = await clusterUp({
    ...{ directory: `${TEST_LAB_DIRECTORY}-cluster`, computeBoards: ['one', 'two'], log: console.log },
    ...{ databaseUrl: database.url, redisUrl: redis.url },
  });
}, 45 * 60_000);
afterAll(async () => {
  await cluster.down();
  await redis.stop();
  await database.drop();
});

const admin = () => new Bramble({ baseUrl: cluster.apiUrl, apiKey: cluster.adminKey() });

const pods = async (component: string): Promise<Pod[]> => {
  const { items } = (await cluster.kube.api.get(
    `${PODS}?labelSelector=app.kubernetes.io/component=${component}`,
  )) as { items: Pod[] };
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
};
const namesOf = async (component: string) =>
  (await pods(component)).map(({ metadata }) => metadata.name).toSorted();

const reasonsToWait = async () =>
  (await pods('api')).flatMap(({ status }) =>
    [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(
      ({ state }) => state.waiting?.reason,
    ),
  );

const CONNECT = `
const [, ...targets] = process.argv;
const open = (target) => new Promise((resolve) => {
  const socket = require('node:net').connect(...target.split(':').toReversed());
  socket.setTimeout(3000, () => socket.destroy(new Error('late')));
  socket.once('connect', () => socket.destroy()).once('error', () => undefined);
  let connected = false;
  socket.once('connect', () => (connected = true)).once('close', () => resolve(connected));
});
Promise.all(targets.map(open)).then((answers) => console.log(targets.filter((_, index) => answers[index]).join(' ')));
`;
/** Those of the addresses to which a pod gets a connection. */
const reached = async (pod: string, container: string, targets: string[]) =>
  (
    await execInPod(cluster.kube.kubeconfig, { namespace: BRAMBLE, pod, container }, [
      ...['node', '-e', CONNECT, ...targets],
    ])
  )
    .trim()
    .split(' ');

async function enrolled(wanted: Enrolment): Promise<Operation> {
  const { boards } = admin().admin;
  let last = await boards.enroll(wanted);
  for await (const operation of boards.watch(last.id)) last = operation;
  return last;
}

async function ended(begun: Promise<Operation>): Promise<[state: string, reason: string | undefined]> {
  let last = await begun;
  for await (const operation of admin().admin.operations.watch(last.id)) last = operation;
  return [last.state, last.reason?.message];
}

/** The boards' network has a DHCP server already, and kernels that have no NFS can mount none. */
const installed = (image: object) => {
  const files = { server: cluster.boards.bridgeAddress, path: '/srv/netboot' };
  const tftp = { existingClaim: SHARED_CLAIM, nfs: null };
  return ended(
    admin().services.install(NETBOOT, {
      settings: { node: MACHINE, mode: 'proxy', files },
      values: { netboot: { image, tftp } },
    }),
  );
};

describe('Bramble in its cluster', () => {
  /** It takes the kubelet some time to try again, and the worker that began it is another one afterwards. */
  let begunBeforeTheUpgrade: ReturnType<typeof ended>;

  it('becomes ready: images of its Dockerfiles, on a kubelet, under the baseline of pod security', async () => {
    await cluster.upgradeBramble();
    for (const component of ['api', 'worker']) {
      const running = await pods(component);
      expect(running).toHaveLength(2);
      for (const { status } of running) {
        const [container] = status.containerStatuses ?? [];
        expect([status.phase, container?.ready, container?.restartCount]).toEqual(['Running', true, 0]);
        expect(container?.imageID).toMatch(/^registry\.home\.lab\/bramble\/(api|worker)@sha256:/);
      }
    }
    expect(await cluster.helm('test', 'bramble', '--namespace', BRAMBLE)).toMatch(/Phase: +Succeeded/);
  });

  it('answers at its address, and sees the machine that it runs on', async () => {
    const bramble = admin();
    const seen = async () => (await bramble.nodes.get(MACHINE)).kubernetes;
    await expect.poll(seen, { interval: 1_000 }).toMatchObject({ ready: true });
    const health = (await (await fetch(`${cluster.apiUrl}/readyz`)).json()) as object;
    expect(health).toMatchObject({ ready: true });
  });

  it('enrols boards from its pods, which join the slurmctld of another pod', async () => {
    const sign = (name: string) => {
      const { address, password, hostKeyFingerprint: hostKey } = cluster.boards.board(name);
      return { address, signIn: { password, hostKey } };
    };
    const storage = await enrolled({
      ...{ name: 'node01', roles: ['storage'], ...sign(STORAGE_BOARD) },
      storage: { packageCache: false, partitions: [{ label: SHARED.label, mountedAt: SHARED.at }] },
    });
    expect(storage).toMatchObject({ state: 'done', reason: null });
    const compute = await Promise.all(
      [
        ['node02', 'one'],
        ['node03', 'two'],
      ].map(([name = '', board = '']) => enrolled({ name, roles: ['compute'], ...sign(board) })),
    );
    for (const operation of compute) expect(operation).toMatchObject({ state: 'done', reason: null });
    const stateOf = async (name: string) => (await admin().nodes.get(name)).slurm?.state;
    for (const name of ['node02', 'node03'])
      await expect.poll(() => stateOf(name), { interval: 500 }).toBe('idle');
  });

  it('runs an MPI program over them, and brings back what it wrote', async () => {
    const job = await admin().jobs.submit({
      mpi: { source: await fileFrom(PI) },
      ...{ nodes: 2, tasksPerNode: 2, timeLimit: '5m', outputs: ['*.csv'] },
    });
    const lines: string[] = [];
    for await (const { text } of job.logs({ follow: true })) lines.push(text);
    await expect(job.wait()).resolves.toMatchObject({ data: { state: 'completed' } });
    expect(lines.join('\n')).toMatch(/on node02[^]*pi = 3\.14159/);
    expect(lines.join('\n')).toContain('on node03');
    expect(await job.file('pi.csv').text()).toMatch(/^ranks,pi\n4,3\.14159/);
  });

  it('finishes a job once, although all workers are killed in mid-run', async () => {
    const job = await admin().jobs.submit({
      script: '#!/bin/bash\necho ran >> ran.txt\nsleep 6\n',
      ...{ nodes: 1, timeLimit: '2m' },
    });
    for await (const event of job.events()) if (event.state === 'running') break;
    const before = await namesOf('worker');
    for (const name of before) await cluster.kube.api.ask('DELETE', `${PODS}/${name}?gracePeriodSeconds=0`);
    await expect(job.wait()).resolves.toMatchObject({ data: { state: 'completed' } });
    expect(await job.file('ran.txt').text()).toBe('ran\n');
    expect(await namesOf('worker')).not.toEqual(before);
  });

  it('is upgraded without a request that goes unanswered', async () => {
    // There is a shell in it, and no dnsmasq.
    const image = { repository: 'registry.home.lab/bramble/api', tag: cluster.tags.api };
    begunBeforeTheUpgrade = installed(image);
    const before = await namesOf('api');
    const statuses: (number | string)[] = [];
    const over = new AbortController();
    const asking = (async () => {
      while (!over.signal.aborted) {
        // Each over a connection of its own, as callers come and go.
        const asked = fetch(`${cluster.apiUrl}/healthz`, { headers: { connection: 'close' } });
        statuses.push(await asked.then(({ status }) => status, String));
        await sleep(50);
      }
    })();
    await cluster.upgradeBramble({ logLevel: 'debug' });
    over.abort();
    await asking;
    expect((await namesOf('api')).filter((name) => before.includes(name))).toEqual([]);
    expect(statuses.length).toBeGreaterThan(50);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('is told by the kubelet itself where an image cannot be pulled, and goes back', async () => {
    const ready = await namesOf('api');
    const upgrade = cluster.helm(
      ...['upgrade', BRAMBLE, chartOf(BRAMBLE), '--namespace', BRAMBLE, '--reuse-values'],
      ...['--set', 'images.api.tag=missing', '--rollback-on-failure', '--wait=watcher', '--timeout=25s'],
    );
    const failed = expect(upgrade).rejects.toThrow(/helm upgrade bramble/);
    const reasons = async () => (await reasonsToWait()).join(' ');
    await expect.poll(reasons).toMatch(/ErrImagePull|ImagePullBackOff/);
    await failed;
    expect(await namesOf('api')).toEqual(expect.arrayContaining(ready));
    expect((await fetch(`${cluster.apiUrl}/readyz`)).status).toBe(200);
  });

  it('reaches what it needs, and by its network policies nothing else', async () => {
    const [api = '', worker = ''] = [...(await namesOf('api')).slice(0, 1), ...(await namesOf('worker'))];
    const board = `${cluster.boards.board('one').address}:22`;
    const apiServer = new URL(cluster.kube.url).host;
    const outside = `${cluster.boards.bridgeAddress}:5000`;
    expect(await reached(api, 'api', [apiServer, board, outside])).toEqual([apiServer]);
    expect(await reached(worker, 'worker', [apiServer, board])).toEqual([apiServer, board]);
  });

  it('installs services, and says why one does not start', async () => {
    expect(await begunBeforeTheUpgrade).toEqual([
      'failed',
      expect.stringMatching(/exec: "dnsmasq": executable file not found/),
    ]);
    expect(await installed({ tag: 'missing' })).toEqual([
      'failed',
      expect.stringMatching(/netboot:missing of the container \S+ cannot be had: .+not found/s),
    ]);
    expect(await installed({ tag: cluster.tags.netboot })).toEqual(['done', undefined]);
    const { services } = admin();
    expect(JSON.stringify(await services.logs(NETBOOT))).toContain('DHCP, proxy on subnet');
    expect(await ended(services.uninstall(NETBOOT))).toEqual(['done', undefined]);
  });
});
