import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stopEmbeddedDatabase } from '#infra/database/embedded-database';
import { waitUntil } from '../lab/waiting.ts';

const STOP_TIMEOUT_MS = 15_000;

/**
 * Ends what an installation below the directory has left running: where it failed to start, or where the run was
 * killed. Its processes are known by their `BRAMBLE_HOME`, which is in nobody else's environment.
 */
export async function endLeftovers(labDirectory: string): Promise<void> {
  for (const pid of processesOf(labDirectory)) process.kill(pid, 'SIGTERM');
  await waitUntil('processes to end', () => processesOf(labDirectory).length === 0, {
    timeoutMs: STOP_TIMEOUT_MS,
  });
  const homes = join(labDirectory, 'e2e');
  if (!existsSync(homes)) return;
  for (const home of readdirSync(homes)) await stopEmbeddedDatabase(join(homes, home, 'postgres'));
}

function processesOf(labDirectory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && environmentOf(pid).some(isHomeWithin));

  function isHomeWithin(variable: string): boolean {
    return variable.startsWith(`BRAMBLE_HOME=${labDirectory}/`);
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
