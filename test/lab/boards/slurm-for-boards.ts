import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ensureDebianPackages } from '../../../scripts/debian-packages.ts';
import type { Log } from '../../../scripts/debian-packages.ts';
import { account } from '../accounts.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { createLabDirectory, labPaths, removeEmptyParent, removeLabDirectory } from '../lab-directory.ts';
import type { LabPaths } from '../lab-directory.ts';
import { withLabLock } from '../lab-lock.ts';
import { MUNGE, startMunge } from '../munge.ts';
import { daemonPid, stopDaemon, startDaemon, waitUntilReady } from '../processes.ts';
import { runInLab } from '../slurm-client.ts';
import type { CommandOptions, CommandResult } from '../slurm-client.ts';
import { boardsPaths } from './boards-directory.ts';

/** A real slurmctld on this machine that boards join by themselves: it knows no node beforehand. */
export interface SlurmForBoards {
  clusterName: string;
  /** The only partition; it has all nodes there are. */
  partition: string;
  dir: string;
  /** The value of SLURM_CONF for clients on this machine. */
  slurmConf: string;
  binDir: string;
  /** slurmctld as boards reach it. */
  host: string;
  port: number;
  mungeKeyFile: string;
  /** Runs a command that sees this cluster. Any exit code is an answer. */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** SIGTERM: slurmctld saves its state and ends. */
  stopController(): Promise<void>;
  startController(): Promise<void>;
}

const CLUSTER_NAME = 'bramble-boards';
const PARTITION = 'all';
const CONTROLLER = 'slurmctld';
const CONTROLLER_HOST = 'controller';
/** Slurm's own. It is bound to the bridge's address, which belongs to one lab. */
const PORT = 6817;
/** Where munge's library looks for it: the boards get the controller's slurm.conf, which cannot name a socket. */
const MUNGE_SOCKET = '/run/munge/munge.socket.2';

/**
 * Starts munged and slurmctld for the boards of a lab, or what of them does not run. The boards themselves are left
 * alone.
 * @param boards the directory of the boards' lab and its bridge's address
 */
export async function slurmForBoardsUp(
  boards: { dir: string; bridgeAddress: string },
  log: Log = () => undefined,
): Promise<SlurmForBoards> {
  const paths = pathsFor(boards.dir);
  await ensureDebianPackages('slurm', log);
  await withLabLock(paths, async () => {
    createLabDirectory(paths);
    const known = existsSync(paths.stateFile) ? readFileSync(paths.stateFile, 'utf8') : undefined;
    const state = `${JSON.stringify({ format: 'slurm-for-boards-1', address: boards.bridgeAddress })}\n`;
    writeFileAtomically(paths.stateFile, state, 0o644);
    for (const directory of [paths.logs, paths.pids]) mkdirSync(directory, { recursive: true, mode: 0o755 });
    if (known !== undefined && known !== state) await stopDaemon(paths, CONTROLLER);
    writeConfiguration(paths, boards.bridgeAddress);
    await startMunge(paths);
    await startController(paths);
  });
  log(`Slurm for the boards is up in ${paths.directory}: ${boards.bridgeAddress}:${PORT}`);
  return slurmForBoards(paths, boards.bridgeAddress);
}

/** Ends what {@link slurmForBoardsUp} has started, and removes it. Does nothing where there is none. */
export async function slurmForBoardsDown(boardsDirectory: string): Promise<void> {
  const paths = pathsFor(boardsDirectory);
  await withLabLock(paths, async () => {
    await stopDaemon(paths, CONTROLLER);
    await stopDaemon(paths, MUNGE);
    removeLabDirectory(paths);
  });
  removeEmptyParent(paths);
}

function pathsFor(boardsDirectory: string): LabPaths {
  const directory = join(dirname(boardsDirectory), `${boardsPaths(boardsDirectory).prefix}-slurm`);
  const paths = labPaths(directory);
  const socket = join(paths.munge.directory, basename(MUNGE_SOCKET));
  return { ...paths, munge: { ...paths.munge, socket } };
}

function slurmForBoards(paths: LabPaths, host: string): SlurmForBoards {
  return {
    clusterName: CLUSTER_NAME,
    partition: PARTITION,
    dir: paths.directory,
    slurmConf: paths.slurmConf,
    binDir: '/usr/bin',
    host,
    port: PORT,
    mungeKeyFile: paths.munge.key,
    run: (argv, options) => runInLab(paths, argv, options),
    stopController: () => stopDaemon(paths, CONTROLLER),
    startController: () => startController(paths),
  };
}

/** In a mount namespace where munge's socket is the lab's, and on a host whose name is the bridge's address. */
async function startController(paths: LabPaths): Promise<void> {
  if (daemonPid(paths, CONTROLLER) !== undefined) return;
  const { uid, gid } = account('slurm');
  for (const directory of [paths.controller.directory, paths.controller.state]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chownSync(directory, uid, gid);
  }
  const log = join(paths.logs, 'slurmctld.log');
  closeSync(openSync(log, 'a', 0o644));
  chownSync(log, uid, gid);
  const script = [
    `hostname ${CONTROLLER_HOST}`,
    `mount --bind ${paths.hostsFile} /etc/hosts`,
    `mount --bind ${paths.daemonsSlurmConf} ${paths.slurmConf}`,
    'mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run',
    `mkdir ${dirname(MUNGE_SOCKET)}`,
    `mount --bind ${paths.munge.directory} ${dirname(MUNGE_SOCKET)}`,
    'exec "$@"',
  ].join('\n');
  startDaemon(paths, {
    name: CONTROLLER,
    command: '/usr/bin/unshare',
    commandArguments: [
      ...['--uts', '--mount', '--propagation', 'slave', '--', 'sh', '-ec', script, 'sh'],
      ...['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
      ...['/usr/sbin/slurmctld', '-D', '-f', paths.slurmConf],
    ],
    environment: { SLURM_CONF: paths.slurmConf },
  });
  await waitUntilReady(paths, CONTROLLER, () => answers(paths), 30);
}

async function answers(paths: LabPaths): Promise<boolean> {
  const ping = await runInLab(paths, ['scontrol', 'ping'], { timeoutMs: 5_000 });
  return ping.stdout.includes('is UP');
}

/** What has not changed is not written: a new file would end the mount over it that slurmctld sees. */
function writeConfiguration(paths: LabPaths, address: string): void {
  const shared = slurmConf(paths, address);
  const forClients = `# Of clients outside of the daemons' namespace.\nAuthInfo=socket=${paths.munge.socket}\n`;
  const forDaemons =
    '# Else slurmctld would listen on all addresses.\nCommunicationParameters=NoCtldInAddrAny\n';
  for (const [file, content] of [
    [paths.slurmConf, `${shared}\n${forClients}`],
    [paths.daemonsSlurmConf, `${shared}\n${forDaemons}`],
    [paths.hostsFile, `127.0.0.1\tlocalhost\n${address}\t${CONTROLLER_HOST}\n`],
  ] as const) {
    const isSame = existsSync(file) && readFileSync(file, 'utf8') === content;
    if (!isSame) writeFileAtomically(file, content, 0o644);
  }
}

/** What an admin would write for boards that come and go. */
function slurmConf(paths: LabPaths, address: string): string {
  return `# Written by the boards' lab; changes are overwritten.
ClusterName=${CLUSTER_NAME}
SlurmctldHost=${CONTROLLER_HOST}(${address})
SlurmctldPort=${PORT}
SlurmUser=slurm
AuthType=auth/munge
CredType=cred/munge

StateSaveLocation=${paths.controller.state}
SlurmctldLogFile=${paths.logs}/slurmctld.log
SlurmctldPidFile=${paths.controller.directory}/slurmctld.pid
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmdPidFile=/run/slurmd.pid

# Nodes join by themselves; https://slurm.schedmd.com/dynamic_nodes.html
SlurmctldParameters=enable_configless
MaxNodeCount=64
TreeWidth=65533
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory

ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none

SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=5
MessageTimeout=10
SlurmdTimeout=60
ReturnToService=2

PartitionName=${PARTITION} Nodes=ALL Default=YES MaxTime=1-00:00:00 DefaultTime=00:10:00 State=UP
`;
}
