import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Bramble } from '@bramble/sdk';
import { Exec, KubeConfig, type V1Status } from '@kubernetes/client-node';
import { chartDirectory } from '../charts/render.ts';
import { freshDatabase } from '../integration/database-server.ts';
import { RedisServer } from '../integration/redis-server.ts';
import { account, ensureLabAccounts, LAB_ACCOUNTS } from '../lab/accounts.ts';
import { boardPaths, boardsPaths } from '../lab/boards/boards-directory.ts';
import { type BoardsLab, boardsDown, boardsUp } from '../lab/boards/boards-lab.ts';
import { ensureImages, type ImageTags } from '../lab/images/lab-images.ts';
import { startRegistry } from '../lab/images/registry.ts';
import { type KubeLab, kubeDown, kubeUp } from '../lab/kube/kube-lab.ts';
import { joinMachine, type KubeMachine } from '../lab/kube/machine/machine.ts';

/** Charts, their releases, and the namespaces that these are in. */
export const BRAMBLE = 'bramble';
export const SLURM = 'slurm';
export const NETBOOT = 'netboot';
export const MACHINE = 'kv-worker-0';
export const STORAGE_BOARD = 'store';
/** Where boards mount what the storage board exports as "shared". */
const SHARED = '/shared';
/** Control groups are this computer's, and boards have none of their own. */
const SLURM_SETTINGS = {
  ...{ ProctrackType: 'proctrack/linuxproc', TaskPlugin: 'task/none' },
  JobAcctGatherType: 'jobacct_gather/none',
  SchedulerParameters: 'batch_sched_delay=0,sched_min_interval=0',
};

/** Boards, a Kubernetes whose machine runs pods, and the charts of Slurm and Bramble on it, with images of a registry. */
export interface Cluster {
  boards: BoardsLab;
  kube: KubeLab;
  /** Of the images of this checkout. */
  tags: ImageTags;
  /** What the storage board exports, as this computer sees it. */
  storage: string;
  apiUrl: string;
  /** @throws Error with what Helm says */
  helm(...words: string[]): Promise<string>;
  /** What a command in a container of a pod of Bramble's prints. @throws Error where it fails */
  exec(pod: string, container: string, argv: string[]): Promise<string>;
  /** Bramble's chart, with values beside the cluster's own. */
  upgradeBramble(values?: object): Promise<void>;
  /** As the user `admin`, whose key the first api has left on the storage. */
  admin(): Bramble;
  down(): Promise<void>;
}

/** Slurm's chart is installed; Bramble's is not yet. */
export async function clusterUp(directory: string, computeBoards: readonly string[]): Promise<Cluster> {
  ensureLabAccounts();
  const boards = await boardsUp({
    dir: `${directory}-boards`,
    boards: [STORAGE_BOARD, ...computeBoards].map((name) => ({ name })),
    stocked: 'all',
  });
  const host = (number: number): string => boards.bridgeAddress.replace(/\d+$/, String(number));
  const [machineAddress, slurmctld, api] = [host(2), host(3), host(4)];
  const kube = await kubeUp({ dir: `${directory}-kube`, address: boards.bridgeAddress });
  const registry = await startRegistry(kube.lab, boards.bridgeAddress);
  const tags = await ensureImages(registry, console.log);
  const paths = boardsPaths(boards.dir);
  const machine = await joinMachine(kube, {
    ...{ name: MACHINE, bridge: paths.bridge, address: machineAddress, registry },
  });
  const storage = join(boardPaths(paths, STORAGE_BOARD).root, 'srv', 'shared');
  mkdirSync(storage, { recursive: true, mode: 0o755 });

  const database = await freshDatabase();
  const redis = await RedisServer.start();
  const doors = {
    database: await openDoor(boards.bridgeAddress, database.url),
    queues: await openDoor(boards.bridgeAddress, redis.url),
  };
  await prepare(kube, storage, { DATABASE_URL: doors.database.url, REDIS_URL: doors.queues.url });

  const { name, uid, gid } = account(LAB_ACCOUNTS.first);
  await install(kube, machine, SLURM, {
    ...{ image: { tag: tags.slurm }, address: slurmctld, clusterName: 'lab', settings: SLURM_SETTINGS },
    accounts: [{ name, uid, gid }],
  });
  await machine.giveAddress({ namespace: SLURM, name: SLURM, address: slurmctld });
  const { data } = (await kube.api.get(`/api/v1/namespaces/${SLURM}/secrets/slurm-munge`)) as {
    data: Record<string, string>;
  };
  await kube.api.create(`/api/v1/namespaces/${BRAMBLE}/secrets`, { metadata: { name: 'munge' }, data });

  const values = {
    images: { api: { tag: tags.api }, worker: { tag: tags.worker } },
    postgresql: { existingSecret: 'outside' },
    redis: { existingSecret: 'outside' },
    storage: { existingClaim: 'shared', clusterRoot: SHARED },
    slurm: { transport: 'exec' },
    boards: {
      ...{ subnet: boards.subnet, slurmctld: `${slurmctld}:6817`, accounts: [`${name}:${uid}:${gid}`] },
      mungeKeySecret: { name: 'munge' },
    },
    api: { adminAccount: name, service: { type: 'LoadBalancer', loadBalancerIP: api } },
    kubernetes: {
      ...{ slurmNamespace: SLURM, views: true },
      services: { scope: 'namespaces', namespaces: [NETBOOT] },
    },
    networkPolicy: { postgresqlPort: doors.database.port, redisPort: doors.queues.port },
  };
  return {
    ...{ boards, kube, tags, storage },
    apiUrl: `http://${api}`,
    helm: (...words) => helm(kube, ...words),
    exec: (pod, container, argv) => exec(kube, pod, container, argv),
    upgradeBramble: async (more = {}) => {
      await install(kube, machine, BRAMBLE, { ...values, ...more });
      await machine.giveAddress({ namespace: BRAMBLE, name: 'bramble-api', address: api });
    },
    admin: () => {
      const apiKey = readFileSync(join(storage, 'home', 'admin.key'), 'utf8').trim();
      return new Bramble({ baseUrl: `http://${api}`, apiKey });
    },
    down: async () => {
      await kubeDown(kube.dir);
      for (const door of Object.values(doors)) door.close();
      await redis.stop();
      await database.drop();
      await boardsDown(boards.dir);
    },
  };
}

async function helm(kube: KubeLab, ...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await kube.helm(...words);
  if (exitCode !== 0) throw new Error(`helm ${words.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

async function exec(kube: KubeLab, pod: string, container: string, argv: string[]): Promise<string> {
  const config = new KubeConfig();
  config.loadFromFile(kube.kubeconfig);
  const [printed, complained] = [new PassThrough(), new PassThrough()];
  const written = Promise.all([text(printed), text(complained)]);
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(BRAMBLE, pod, container, argv, printed, complained, null, false, resolve)
      .catch(reject);
  });
  const [stdout, stderr] = await written;
  if (status.status !== 'Success') throw new Error(`${argv.join(' ')}: ${status.message ?? ''} ${stderr}`);
  return stdout;
}

async function install(kube: KubeLab, machine: KubeMachine, chart: string, values: object): Promise<void> {
  const file = join(kube.dir, `${chart}.json`);
  writeFileSync(file, JSON.stringify(values));
  await helm(
    kube,
    ...['upgrade', '--install', chart, chartDirectory(chart), '--namespace', chart],
    ...['--values', file, '--wait=watcher', '--timeout=100s'],
  );
  await machine.publishNames();
}

/** Where a server that listens on 127.0.0.1 is reached from the boards' network, as one that is somewhere in it. */
async function openDoor(
  address: string,
  url: string,
): Promise<{ url: string; port: number; close: () => void }> {
  const behind = new URL(url);
  const door = createServer((client) => {
    const server = connect(Number(behind.port), behind.hostname);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.pipe(other).on('error', () => one.destroy());
  });
  await new Promise<void>((resolve) => door.listen(0, address, resolve));
  const { port } = door.address() as AddressInfo;
  const outside = new URL(url);
  outside.host = `${address}:${port}`;
  return { url: outside.href, port, close: () => door.close() };
}

async function prepare(kube: KubeLab, storage: string, outside: Record<string, string>): Promise<void> {
  for (const [name, enforced] of [
    [SLURM, 'baseline'],
    [BRAMBLE, 'baseline'],
    [NETBOOT, 'privileged'],
  ] as const)
    await kube.api.create('/api/v1/namespaces', {
      metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': enforced } },
    });
  const state = join(kube.dir, 'slurm-state');
  mkdirSync(state, { recursive: true, mode: 0o755 });
  // Unlike a hostPath, it is given to the group of its pod.
  const onMachine = { key: 'kubernetes.io/hostname', operator: 'In', values: [MACHINE] };
  await volume(kube, 'slurm-state', 'ReadWriteOnce', {
    local: { path: state },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onMachine] }] } },
    claimRef: { namespace: SLURM, name: 'state-slurm-0' },
  });
  await volume(kube, 'shared', 'ReadWriteMany', {
    hostPath: { path: storage },
    claimRef: { namespace: BRAMBLE, name: 'shared' },
  });
  await volume(kube, 'boot-files', 'ReadWriteMany', {
    hostPath: { path: storage },
    claimRef: { namespace: NETBOOT, name: 'shared' },
  });
  for (const namespace of [BRAMBLE, NETBOOT])
    await kube.api.create(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
      metadata: { name: 'shared' },
      spec: {
        accessModes: ['ReadWriteMany'],
        storageClassName: '',
        resources: { requests: { storage: '1Gi' } },
      },
    });
  await kube.api.create(`/api/v1/namespaces/${BRAMBLE}/secrets`, {
    metadata: { name: 'outside' },
    stringData: outside,
  });
}

const volume = (kube: KubeLab, name: string, mode: string, about: object): Promise<void> =>
  kube.api.create('/api/v1/persistentvolumes', {
    metadata: { name },
    spec: {
      ...{ capacity: { storage: '1Gi' }, accessModes: [mode], persistentVolumeReclaimPolicy: 'Retain' },
      ...about,
    },
  });
