const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** Kubernetes kills 30 s after SIGTERM; this leaves time to say why. */
const STOP_TIMEOUT_MS = 25_000;

/**
 * Runs a process until it is told to stop, then stops it in order. A start that fails, or a stop that takes too long,
 * ends the process with exit code 1 and the reason on stderr.
 * @param start starts everything and answers how to stop it
 */
export async function runUntilStopped(start: () => Promise<() => Promise<void>>): Promise<void> {
  try {
    const stop = await start();
    await new Promise<void>((resolve) => {
      for (const signal of STOP_SIGNALS) process.once(signal, () => resolve());
    });
    setTimeout(() => {
      process.stderr.write(`Not stopped within ${STOP_TIMEOUT_MS} ms; giving up.\n`);
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    await stop();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
}
