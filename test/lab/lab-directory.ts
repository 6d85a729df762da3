import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabError } from './lab-error.ts';

/** Where each thing of a lab lies. Everything is below `directory`. */
export interface LabPaths {
  directory: string;
  stateFile: string;
  slurmConf: string;
  cgroupConf: string;
  taskProlog: string;
  /** What the daemons see in place of slurm.conf, and of /etc/hosts, on hosts of their own. */
  daemonsSlurmConf: string;
  hostsFile: string;
  munge: { directory: string; key: string; socket: string };
  controller: { directory: string; state: string; jwtKey: string };
  /** One spool directory a node. */
  nodes: string;
  logs: string;
  /** One record for each daemon that the lab started. */
  pids: string;
  loginNode: {
    directory: string;
    configuration: string;
    hostKey: string;
    clientKey: string;
    authorizedKeys: string;
  };
  /** What a real cluster mounts on every node. */
  storage: string;
}

/** A Unix socket's path may have 107 characters, and Slurm's are up to 50 characters below the lab's directory. */
const MAX_DIRECTORY_LENGTH = 56;

/**
 * `BRAMBLE_LAB_DIR`, or a directory of this checkout's own below /var/tmp: two checkouts never meet, and the lab's
 * unprivileged accounts can reach it even when the checkout lies in a private home directory.
 */
export function defaultLabDirectory(): string {
  const configured = process.env.BRAMBLE_LAB_DIR;
  if (configured !== undefined && configured !== '') return configured;
  const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
  const fingerprint = createHash('sha256').update(checkout).digest('hex').slice(0, 8);
  return `/var/tmp/bramble-${fingerprint}/lab`;
}

export function labPaths(directory: string): LabPaths {
  if (!isAbsolute(directory) || !/^[\w./-]+$/.test(directory) || directory.length > MAX_DIRECTORY_LENGTH) {
    throw new LabError(
      `The lab's directory must be an absolute path of at most ${MAX_DIRECTORY_LENGTH} plain characters: ${directory}`,
    );
  }
  const munge = join(directory, 'munge');
  const controller = join(directory, 'controller');
  const loginNode = join(directory, 'login-node');
  return {
    directory,
    stateFile: join(directory, 'lab.json'),
    slurmConf: join(directory, 'slurm.conf'),
    cgroupConf: join(directory, 'cgroup.conf'),
    taskProlog: join(directory, 'task-prolog'),
    daemonsSlurmConf: join(directory, 'slurm-of-daemons.conf'),
    hostsFile: join(directory, 'hosts'),
    munge: { directory: munge, key: join(munge, 'munge.key'), socket: join(munge, 'munge.socket') },
    controller: {
      directory: controller,
      state: join(controller, 'state'),
      jwtKey: join(controller, 'jwt.key'),
    },
    nodes: join(directory, 'nodes'),
    logs: join(directory, 'logs'),
    pids: join(directory, 'pids'),
    loginNode: {
      directory: loginNode,
      configuration: join(loginNode, 'sshd_config'),
      hostKey: join(loginNode, 'host_key'),
      clientKey: join(loginNode, 'client_key'),
      authorizedKeys: join(loginNode, 'authorized_keys'),
    },
    storage: join(directory, 'storage'),
  };
}

/** A directory that only labs make. */
const OWN_PARENT = /^\/var\/tmp\/bramble-[^/]+$/;

/** Makes the lab's own directory. Until lab.json is in there it has to stay empty, or it is taken for somebody else's. */
export function createLabDirectory(paths: LabPaths): void {
  const parent = dirname(paths.directory);
  createOwnDirectory(parent, 0o755);
  // Whatever has made it first, under whatever umask: the daemons' accounts have to pass through it.
  if (OWN_PARENT.test(parent)) chmodSync(parent, 0o755);
  if (
    existsSync(paths.directory) &&
    !existsSync(paths.stateFile) &&
    readdirSync(paths.directory).length > 0
  ) {
    throw new LabError(`${paths.directory} exists and is not a lab; move it away or set BRAMBLE_LAB_DIR`);
  }
  createOwnDirectory(paths.directory, 0o755);
}

/** Makes the directories that root owns. The daemons' own directories are made by whoever starts them. */
export function createDirectoriesWithin(paths: LabPaths): void {
  for (const directory of [paths.nodes, paths.logs, paths.pids, paths.loginNode.directory]) {
    createOwnDirectory(directory, 0o755);
  }
  createOwnDirectory(paths.storage, 0o711);
}

/** Removes the lab's directory. Refuses what is not a lab. */
export function removeLabDirectory(paths: LabPaths): void {
  if (!existsSync(paths.directory)) return;
  if (!existsSync(paths.stateFile) && readdirSync(paths.directory).length > 0) {
    throw new LabError(`${paths.directory} is not a lab; nothing was removed`);
  }
  rmSync(paths.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Removes the directory around the lab if it is one that labs make, and holds nothing else. */
export function removeEmptyParent(paths: LabPaths): void {
  const parent = dirname(paths.directory);
  if (!OWN_PARENT.test(parent) || !existsSync(parent)) return;
  if (readdirSync(parent).length === 0) rmdirSync(parent);
}

/** /var/tmp is everybody's: a directory there is only trusted if it is root's own and nobody else can write to it. */
export function createOwnDirectory(directory: string, mode: number): void {
  if (!existsSync(directory)) {
    mkdirSync(directory, { recursive: true, mode });
    chmodSync(directory, mode);
  }
  const found = lstatSync(directory);
  const sharedWritable = (found.mode & 0o022) !== 0 && (found.mode & 0o1000) === 0;
  if (!found.isDirectory() || found.uid !== 0 || sharedWritable) {
    throw new LabError(
      `${directory} is not a directory that only root can change; move it away and try again`,
    );
  }
}
