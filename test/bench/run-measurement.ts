import { Cleanup } from './cleanup.ts';

/**
 * Measures, and clears away what was started for it: at the end, when something fails, when it takes too long, and when it
 * is interrupted.
 */
export async function runMeasurement(
  measure: (cleanup: Cleanup) => Promise<void>,
  { longestMs, log }: { longestMs: number; log: (line: string) => void },
): Promise<void> {
  const cleanup = new Cleanup();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void cleanup.run().finally(() => process.exit(1)));
  }
  const tooLong = setTimeout(() => {
    console.error(`The run took longer than ${longestMs / 60_000} minutes and is broken off.`);
    void cleanup.run().finally(() => process.exit(1));
  }, longestMs);
  try {
    await measure(cleanup);
  } catch (error) {
    process.exitCode = 1;
    console.error(error);
  } finally {
    clearTimeout(tooLong);
    log('Stopping everything');
    await cleanup.run();
    log('Done');
  }
}
