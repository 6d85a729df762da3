/**
 * How long tests wait for what should come: far longer than it takes on the slowest machine, so that only what is broken
 * runs into it. A test must never need this time.
 */
export const PATIENCE_MS = 120_000;

/** For `vi.waitFor`; `expect.poll` has it from the configuration. */
export const PATIENTLY = { timeout: PATIENCE_MS };
