import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from '../../../scripts/debian-packages.ts';
import { account, ensureLabAccounts, LAB_ACCOUNTS } from '../accounts.ts';
import { boardPaths, boardsPaths } from '../boards/boards-directory.ts';
import { type BoardsLab, boardsDown, boardsUp } from '../boards/boards-lab.ts';
import { ensureImages, type ImageTags } from '../images/lab-images.ts';
import { startRegistry } from '../images/registry.ts';
import { type KubeLab, kubeDown, kubeUp } from '../kube/kube-lab.ts';
import { joinMachine, type KubeMachine } from '../kube/machine/machine.ts';
import { LabError } from '../lab-error.ts';
import { openDoor } from './door.ts';
import {
  BRAMBLE,
  copyMungeKey,
  NETBOOT,
  OUTSIDE,
  prepareNamespaces,
  SHARED_CLAIM,
  SLURM,
} from './prepare-namespaces.ts';

export const MACHINE = 'kv-worker-0';
export const STORAGE_BOARD = 'store';
/** Where boards mount what the storage board exports under the label. */
export const SHARED = { label: 'shared', at: '/shared' };

/** Boards, a Kubernetes whose machine runs pods, and the charts of Slurm and Bramble on it, with images of a registry. */
export interface ClusterLab {
  boards: BoardsLab;
  kube: KubeLab;
  /** Of the images of this checkout. */
  tags: ImageTags;
  apiUrl: string;
  /** Of the user `admin`, which the first api has left on the storage. */
  adminKey(): string;
  /** @throws LabError with what Helm says */
  helm(...words: string[]): Promise<string>;
  /** Installs Bramble's chart, or upgrades it, with values beside the cluster's own, and waits until all is ready. */
  upgradeBramble(values?: object): Promise<void>;
  down(): Promise<void>;
}

export interface ClusterOptions {
  /** Begins the names of its directories. */
  directory: string;
  /** Beside the storage board. */
  computeBoards: readonly string[];
  /** Servers on 127.0.0.1, as URLs. Queues are in PostgreSQL where there is no Redis. */
  databaseUrl: string;
  redisUrl?: string;
  log?: Log;
}

/** Control groups are this computer's, and boards have none of their own. */
const SLURM_SETTINGS = {
  ...{ ProctrackType: 'proctrack/linuxproc', TaskPlugin: 'task/none' },
  JobAcctGatherType: 'jobacct_gather/none',
  SchedulerParameters: 'batch_sched_delay=0,sched_min_interval=0',
};

/** Starts all of it, in place of what an interrupted one has left. Slurm's chart is installed then, and Bramble's is not yet. */
export async function clusterUp(options: ClusterOptions): Promise<ClusterLab> {
  const { directory, computeBoards, log = () => undefined } = options;
  await clusterDown(directory, log);
  ensureLabAccounts();
  const boards = await boardsUp({
    dir: boardsDirectory(directory),
    boards: [STORAGE_BOARD, ...computeBoards].map((name) => ({ name })),
    ...{ stocked: 'all', log },
  });
  const host = (number: number): string => boards.bridgeAddress.replace(/\d+$/, String(number));
  const [machineAddress, slurmctld, api] = [host(2), host(3), host(4)];
  const kube = await kubeUp({ dir: kubeDirectory(directory), address: boards.bridgeAddress, log });
  const registry = await startRegistry(kube.lab, boards.bridgeAddress);
  const tags = await ensureImages(registry, log);
  const paths = boardsPaths(boards.dir);
  const machine = await joinMachine(kube, {
    ...{ name: MACHINE, bridge: paths.bridge, address: machineAddress, registry, log },
  });
  const storage = join(boardPaths(paths, STORAGE_BOARD).root, 'srv', SHARED.label);
  mkdirSync(storage, { recursive: true, mode: 0o755 });

  const database = await openDoor(boards.bridgeAddress, options.databaseUrl);
  const queues =
    options.redisUrl === undefined ? undefined : await openDoor(boards.bridgeAddress, options.redisUrl);
  const outside = {
    DATABASE_URL: database.url,
    ...(queues === undefined ? {} : { REDIS_URL: queues.url }),
  };
  await prepareNamespaces(kube, { machine: MACHINE, storage, outside });

  const { name, uid, gid } = account(LAB_ACCOUNTS.first);
  await install(kube, machine, SLURM, {
    ...{ image: { tag: tags.slurm }, address: slurmctld, clusterName: 'lab', settings: SLURM_SETTINGS },
    accounts: [{ name, uid, gid }],
  });
  await machine.giveAddress({ namespace: SLURM, name: SLURM, address: slurmctld });
  await copyMungeKey(kube);

  const values = {
    images: { api: { tag: tags.api }, worker: { tag: tags.worker } },
    postgresql: { existingSecret: OUTSIDE },
    redis: { existingSecret: queues === undefined ? '' : OUTSIDE },
    storage: { existingClaim: SHARED_CLAIM, clusterRoot: SHARED.at },
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
    networkPolicy: { postgresqlPort: database.port, ...(queues && { redisPort: queues.port }) },
  };
  return {
    ...{ boards, kube, tags },
    apiUrl: `http://${api}`,
    adminKey: () => readFileSync(join(storage, 'home', 'admin.key'), 'utf8').trim(),
    helm: (...words) => helm(kube, ...words),
    upgradeBramble: async (more = {}) => {
      await install(kube, machine, BRAMBLE, { ...values, ...more });
      await machine.giveAddress({ namespace: BRAMBLE, name: 'bramble-api', address: api });
    },
    down: async () => {
      await clusterDown(directory, log);
      for (const door of [database, queues]) door?.close();
    },
  };
}

/** Ends and removes all of it, as far as it is there. */
export async function clusterDown(directory: string, log?: Log): Promise<void> {
  await kubeDown(kubeDirectory(directory), log);
  await boardsDown(boardsDirectory(directory), log);
}

const boardsDirectory = (directory: string): string => `${directory}-boards`;
const kubeDirectory = (directory: string): string => `${directory}-kube`;

/** The directory of a chart of this checkout. */
export function chartOf(name: string): string {
  const place = name === BRAMBLE ? name : `services/${name}`;
  return fileURLToPath(new URL(`../../../deploy/helm/${place}`, import.meta.url));
}

async function helm(kube: KubeLab, ...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await kube.helm(...words);
  if (exitCode !== 0) throw new LabError(`helm ${words.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

async function install(kube: KubeLab, machine: KubeMachine, chart: string, values: object): Promise<void> {
  const file = join(kube.dir, `${chart}.json`);
  writeFileSync(file, JSON.stringify(values));
  await helm(
    kube,
    ...['upgrade', '--install', chart, chartOf(chart), '--namespace', chart],
    ...['--values', file, '--wait=watcher', '--timeout=300s'],
  );
  await machine.publishNames();
}
