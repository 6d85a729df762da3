import { type Installation, startInstallation } from '../e2e/installation.ts';
import type { Cleanup } from './cleanup.ts';

/** Api and worker as they are built, each installation with a database of its own. */
export function startBramble(
  lab: Parameters<typeof startInstallation>[0],
  cleanup: Cleanup,
  environment: Record<string, string>,
): Promise<Installation> {
  const starting = startInstallation(
    lab,
    { BRAMBLE_LOG_LEVEL: 'warn', ...environment },
    { database: 'embedded' },
  );
  cleanup.add('Bramble', async () => {
    const started = await starting.catch(() => undefined);
    await started?.stop();
  });
  return starting;
}
