import { existsSync } from 'node:fs';
import { timed } from '../costs/ledger.ts';
import { ensureDebianPackages } from '../../scripts/debian-packages.ts';
import type { Log } from '../../scripts/debian-packages.ts';
import { LAB_ACCOUNTS, ensureLabAccounts } from './accounts.ts';
import {
  CONTROLLER,
  continueController,
  controllerAnswers,
  killController,
  pauseController,
  startController,
  stopController,
} from './controller.ts';
import {
  createDirectoriesWithin,
  createLabDirectory,
  defaultLabDirectory,
  labPaths,
  removeEmptyParent,
  removeLabDirectory,
} from './lab-directory.ts';
import type { LabPaths } from './lab-directory.ts';
import { LabError } from './lab-error.ts';
import { withLabLock } from './lab-lock.ts';
import { readLabState, writeLabState } from './lab-state.ts';
import type { LabState } from './lab-state.ts';
import { LOGIN_NODE, loginNode, startLoginNode, stopLoginNode } from './login-node.ts';
import type { LoginNode } from './login-node.ts';
import { removeMemoryCgroups } from './memory-cgroups.ts';
import { MUNGE, startMunge } from './munge.ts';
import { killJobProcesses, killNode, nodeDaemonName, startNodeDaemon } from './node-daemon.ts';
import { allServe, isServing, nodeStates, resumeNodes } from './node-states.ts';
import { chooseFreePorts, nodePort, portsInUse } from './ports.ts';
import type { LabPorts } from './ports.ts';
import { daemonPid, stopDaemon } from './processes.ts';
import { runInLab } from './slurm-client.ts';
import type { CommandOptions, CommandResult } from './slurm-client.ts';
import { MESSAGE_TIMEOUT_SECONDS, writeSlurmConfiguration } from './slurm-configuration.ts';
import type { LabSettings } from './slurm-configuration.ts';
import { startSlurmrestd, stopSlurmrestd } from './slurmrestd.ts';
import type { Slurmrestd } from './slurmrestd.ts';
import { CLUSTER_NAME, NODE_NAMES, PARTITION_NAMES, nodeName } from './topology.ts';
import { waitUntil } from './waiting.ts';
import { PATIENCE_MS } from '../patience.ts';

export { LabError } from './lab-error.ts';
export type { CommandOptions, CommandResult } from './slurm-client.ts';
export type { LabSettings } from './slurm-configuration.ts';
export type { LoginNode } from './login-node.ts';
export type { Slurmrestd } from './slurmrestd.ts';

/** A running lab: a real Slurm with four nodes on this machine. */
export interface SlurmLab {
  clusterName: string;
  dir: string;
  /** The value of SLURM_CONF for every client. */
  slurmConf: string;
  binDir: string;
  /** What a real cluster shares between its nodes. Owned by root, mode 0711: make a directory below it for each account. */
  storageDir: string;
  nodes: string[];
  /** The first one is the default. */
  partitions: string[];
  accounts: { first: string; second: string };
  ssh: LoginNode;
  messageTimeoutSeconds: number;

  /** Runs a command that sees the lab as its cluster. Any exit code is an answer; only a missing program throws. */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;

  /** SIGTERM: slurmctld saves its state and ends. */
  stopController(): Promise<void>;
  /** SIGKILL: what slurmctld has not saved yet is lost. */
  killController(): Promise<void>;
  /** SIGSTOP: requests are taken and not answered, until {@link continueController}. */
  pauseController(): void;
  continueController(): void;
  /** Returns when slurmctld answers. */
  startController(): Promise<void>;
  /**
   * A power cut: slurmd, and all processes of jobs on that node, are killed. Slurm notices after the node timeout. Wait
   * for that before {@link startNode}: a node that is back sooner does not look rebooted, as its machine never was.
   */
  killNode(name: string): Promise<void>;
  /** Returns when the node is in service again, drained or down before or not. */
  startNode(name: string): Promise<void>;
  /** Starts every daemon that does not run, and returns when all nodes are in service. */
  restartAll(): Promise<void>;
  stopSshd(): Promise<void>;
  startSshd(): Promise<void>;
  /** Installs slurmrestd where it is missing. */
  startSlurmrestd(): Promise<Slurmrestd>;
}

export interface LabOptions {
  /** Default: `BRAMBLE_LAB_DIR`, or a directory of this checkout's own below /var/tmp. */
  dir?: string;
  log?: Log;
  settings?: LabSettings;
}

export interface LabStatus {
  dir: string;
  /** Everything runs, and all nodes are in service. */
  healthy: boolean;
  exists: boolean;
  daemons: { name: string; pid: number | undefined }[];
  /** Empty when slurmctld does not answer. */
  nodes: { name: string; state: string }[];
  /** `sinfo` as a person would see it. */
  sinfo: string;
}

const NODES_TIMEOUT_MS = PATIENCE_MS;
const JOBS_TIMEOUT_MS = 10_000;
const JOBS_PER_SCANCEL = 500;

/**
 * Makes the lab, or heals it: what runs is left alone, what does not is started, nodes that are out of service are put
 * back. Installs Debian packages where they are missing. Needs root.
 *
 * @throws LabError when root is missing, or something does not start.
 */
export async function labUp(options: LabOptions = {}): Promise<SlurmLab> {
  const paths = labPaths(options.dir ?? defaultLabDirectory());
  const log = options.log ?? (() => undefined);
  assertRoot();
  await ensureDebianPackages('slurm', log);
  await ensureDebianPackages('ssh', log);
  const state = await timed('Slurm lab', () =>
    withLabLock(paths, () => bringUp(paths, options.settings ?? {}, log)),
  );
  return slurmLab(paths, state, log);
}

/** Ends all jobs and daemons of the lab and removes its directory. Does nothing when there is none. */
export async function labDown(dir?: string, log: Log = () => undefined): Promise<void> {
  const paths = labPaths(dir ?? defaultLabDirectory());
  assertRoot();
  await withLabLock(paths, async () => {
    if (readLabState(paths) === undefined) {
      log(`There is no lab in ${paths.directory}`);
      removeLabDirectory(paths);
      return;
    }
    continueController(paths);
    await endAllJobs(paths, log);
    log('Stopping sshd, slurmrestd, slurmctld, four slurmd and munged');
    await Promise.all([
      stopLoginNode(paths),
      stopSlurmrestd(paths),
      stopController(paths),
      stopNodeDaemons(paths),
    ]);
    await killJobProcesses(paths);
    if (existsSync(paths.cgroupConf)) removeMemoryCgroups();
    await stopDaemon(paths, MUNGE);
    removeLabDirectory(paths);
    log(`Removed ${paths.directory}. The accounts ${Object.values(LAB_ACCOUNTS).join(' and ')} stay.`);
  });
  removeEmptyParent(paths);
}

export async function labStatus(dir?: string): Promise<LabStatus> {
  const paths = labPaths(dir ?? defaultLabDirectory());
  const exists = readLabState(paths) !== undefined;
  const daemons = daemonNames().map((name) => ({ name, pid: exists ? daemonPid(paths, name) : undefined }));
  const answers = exists && daemonPid(paths, CONTROLLER) !== undefined;
  const states = answers ? await nodeStates(paths) : undefined;
  const sinfo = states === undefined ? '' : (await runInLab(paths, ['sinfo'])).stdout;
  return {
    dir: paths.directory,
    exists,
    healthy: allServe(states) && daemons.every(({ pid }) => pid !== undefined),
    daemons,
    nodes: [...(states ?? [])].map(([name, state]) => ({ name, state })),
    sinfo,
  };
}

async function bringUp(paths: LabPaths, settings: LabSettings, log: Log): Promise<LabState> {
  createLabDirectory(paths);
  const made = ensureLabAccounts();
  if (made.length > 0) log(`Made the accounts ${made.join(' and ')}`);
  const state = await labStateWithUsablePorts(paths);
  const { ports } = state;
  createDirectoriesWithin(paths);
  continueController(paths);
  const changed = await writeSlurmConfiguration(paths, ports, settings);
  const down = daemonNames().filter((name) => daemonPid(paths, name) === undefined);
  if (down.length > 0) log(`Starting ${down.join(', ')}`);
  await Promise.all([startSlurm(paths, ports, changed), startLoginNode(paths, ports.loginNode)]);
  await bringNodesIntoService(paths);
  log(`The lab is up in ${paths.directory}: ${NODE_NAMES.length} nodes in service`);
  return state;
}

/** Some settings are only read at a start. Jobs do not notice: their slurmstepd go on without slurmd. */
async function startSlurm(paths: LabPaths, ports: LabPorts, configurationChanged: boolean): Promise<void> {
  if (configurationChanged) await Promise.all([stopController(paths), stopNodeDaemons(paths)]);
  await startMunge(paths);
  await startController(paths);
  await Promise.all(NODE_NAMES.map((node) => startNodeDaemon(paths, node, nodePort(ports, node))));
}

async function stopNodeDaemons(paths: LabPaths): Promise<void> {
  await Promise.all(NODE_NAMES.map((node) => stopDaemon(paths, nodeDaemonName(node))));
}

/** Ports are kept from one start to the next, unless somebody else took one while nothing of the lab ran. */
async function labStateWithUsablePorts(paths: LabPaths): Promise<LabState> {
  const state = readLabState(paths);
  if (state === undefined) return writeLabState(paths, await chooseFreePorts(paths));
  if (daemonNames().some((name) => name !== MUNGE && daemonPid(paths, name) !== undefined)) return state;
  const taken = await portsInUse(state.ports);
  return taken.length === 0 ? state : writeLabState(paths, await chooseFreePorts(paths));
}

async function bringNodesIntoService(paths: LabPaths, names: readonly string[] = NODE_NAMES): Promise<void> {
  await waitUntil(`${names.join(', ')} to be in service`, nodesServe, {
    timeoutMs: NODES_TIMEOUT_MS,
    onTimeout: async () => (await runInLab(paths, ['sinfo', '-N', '-l'])).stdout,
  });

  async function nodesServe(): Promise<boolean> {
    const states = await nodeStates(paths);
    if (states === undefined) return false;
    if (names.every((name) => isServing(states.get(name)))) return true;
    await resumeNodes(paths, new Map([...states].filter(([name]) => names.includes(name))));
    return false;
  }
}

/** Slurm ends a job more tidily than signals do; whoever is left after some seconds is killed later. */
async function endAllJobs(paths: LabPaths, log: Log): Promise<void> {
  if (!(await controllerAnswers(paths))) return;
  const jobs = await activeJobs(paths);
  if (jobs.length === 0) return;
  log(`Cancelling ${jobs.length} job(s)`);
  for (let first = 0; first < jobs.length; first += JOBS_PER_SCANCEL) {
    await runInLab(paths, ['scancel', ...jobs.slice(first, first + JOBS_PER_SCANCEL)]);
  }
  const giveUpAt = Date.now() + JOBS_TIMEOUT_MS;
  await waitUntil(
    'jobs to end',
    async () => (await activeJobs(paths)).length === 0 || Date.now() > giveUpAt,
    {
      timeoutMs: JOBS_TIMEOUT_MS + 10_000,
      intervalMs: 50,
    },
  );
}

/** Waiting jobs come first, so that none starts while the others are cancelled. An array counts as one job. */
async function activeJobs(paths: LabPaths): Promise<string[]> {
  const { stdout } = await runInLab(paths, ['squeue', '-h', '--sort=t', '-o', '%F']);
  return [...new Set(stdout.split('\n').filter((line) => line !== ''))];
}

function daemonNames(): string[] {
  return [MUNGE, CONTROLLER, ...NODE_NAMES.map(nodeDaemonName), LOGIN_NODE];
}

function assertRoot(): void {
  if (process.getuid?.() !== 0) {
    throw new LabError(
      'The lab needs root: its slurmd run jobs as different accounts. Try the same command with sudo.',
    );
  }
}

function slurmLab(paths: LabPaths, { ports }: LabState, log: Log): SlurmLab {
  return {
    clusterName: CLUSTER_NAME,
    dir: paths.directory,
    slurmConf: paths.slurmConf,
    binDir: '/usr/bin',
    storageDir: paths.storage,
    nodes: [...NODE_NAMES],
    partitions: [...PARTITION_NAMES],
    accounts: { ...LAB_ACCOUNTS },
    ssh: loginNode(paths, ports.loginNode),
    messageTimeoutSeconds: MESSAGE_TIMEOUT_SECONDS,
    run: (argv, options) => runInLab(paths, argv, options),
    stopController: () => stopController(paths),
    killController: () => killController(paths),
    pauseController: () => {
      pauseController(paths);
    },
    continueController: () => {
      continueController(paths);
    },
    startController: () => startController(paths),
    killNode: (name) => killNode(paths, nodeName(name)),
    startNode: async (name) => {
      await startNodeDaemon(paths, nodeName(name), nodePort(ports, nodeName(name)));
      await bringNodesIntoService(paths, [name]);
    },
    restartAll: async () => {
      await Promise.all([startSlurm(paths, ports, false), startLoginNode(paths, ports.loginNode)]);
      await bringNodesIntoService(paths);
    },
    stopSshd: () => stopLoginNode(paths),
    startSshd: () => startLoginNode(paths, ports.loginNode),
    startSlurmrestd: () => startSlurmrestd(paths, ports, log),
  };
}
