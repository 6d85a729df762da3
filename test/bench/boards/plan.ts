/** How much is measured. On 2 cores that have nothing else to do, a whole run takes a quarter of an hour. */
export const PLAN = {
  /**
   * How many bare boards are enrolled at once; for each number the boards are made anew. On a machine that has much else
   * to do there are fewer rounds.
   */
  sizes: [
    { boards: 1, noNewRoundAfterMs: 60_000 },
    { boards: 4, noNewRoundAfterMs: 120_000 },
    { boards: 8, noNewRoundAfterMs: 240_000 },
  ],
  rounds: 3,
  slowestSteps: 5,
} as const;

/** No more rounds than one are begun for the boards that are left when this has passed. */
export const NO_MORE_ROUNDS_AFTER_MS = 13 * 60_000;

/** A run that is not done by then is broken off. */
export const LONGEST_RUN_MS = 25 * 60_000;
