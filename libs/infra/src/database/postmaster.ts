import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A PostgreSQL server that runs on a data directory. */
export interface Postmaster {
  pid: number;
  /** Undefined for the moment at its start before it has one. */
  port: number | undefined;
}

/**
 * Reads `postmaster.pid`, by which PostgreSQL itself sees to it that only one server runs on a data directory.
 * @returns undefined where no server runs, also where one was killed and left its file behind
 * @see https://www.postgresql.org/docs/current/storage-file-layout.html
 */
export async function readPostmaster(clusterDirectory: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(clusterDirectory, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  const [pidLine = '', , , portLine = ''] = text.split('\n');
  const pid = Number(pidLine);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  const port = Number(portLine);
  return { pid, port: port > 0 ? port : undefined };
}

/** Whether a process with this id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
