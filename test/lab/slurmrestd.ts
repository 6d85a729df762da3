import { ensureDebianPackages } from '../../scripts/debian-packages.ts';
import type { Log } from '../../scripts/debian-packages.ts';
import { account } from './accounts.ts';
import type { LabPaths } from './lab-directory.ts';
import { LabError } from './lab-error.ts';
import type { LabPorts } from './ports.ts';
import { startDaemon, stopDaemon, waitUntilReady } from './processes.ts';
import { runInLab } from './slurm-client.ts';

const SLURMRESTD = 'slurmrestd';

/** Slurm's own REST daemon, which the benchmark compares with. */
export interface Slurmrestd {
  /** Without a slash at the end; paths begin with `/slurm/v0.0.38/`. */
  url: string;
  /** A token for `X-SLURM-USER-TOKEN`, valid for an hour. Send the user as `X-SLURM-USER-NAME`. */
  token(user: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts slurmrestd on loopback, and installs it first where it is missing. It refuses to run as root: nobody runs it. */
export async function startSlurmrestd(paths: LabPaths, ports: LabPorts, log: Log): Promise<Slurmrestd> {
  await ensureDebianPackages('slurmrestd', log);
  await stopDaemon(paths, SLURMRESTD);
  const { uid, gid } = account('nobody');
  const url = `http://127.0.0.1:${ports.slurmrestd}`;
  startDaemon(paths, {
    name: SLURMRESTD,
    command: '/usr/sbin/slurmrestd',
    commandArguments: [
      '-f',
      paths.slurmConf,
      '-a',
      'rest_auth/jwt',
      '-s',
      'openapi/v0.0.38',
      url.slice('http://'.length),
    ],
    environment: { SLURM_CONF: paths.slurmConf, SLURM_JWT: 'daemon' },
    account: { uid, gid },
  });
  await waitUntilReady(paths, SLURMRESTD, () => answers(url), 30);
  return {
    url,
    token: (user) => createToken(paths, user),
    stop: () => stopDaemon(paths, SLURMRESTD),
  };
}

export function stopSlurmrestd(paths: LabPaths): Promise<void> {
  return stopDaemon(paths, SLURMRESTD);
}

async function createToken(paths: LabPaths, user: string): Promise<string> {
  const created = await runInLab(paths, ['scontrol', 'token', `username=${user}`, 'lifespan=3600']);
  const token = /^SLURM_JWT=(\S+)$/m.exec(created.stdout)?.[1];
  if (token === undefined)
    throw new LabError(`scontrol token username=${user} failed: ${created.stderr.trim()}`);
  return token;
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(`${url}/openapi/v3`)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
