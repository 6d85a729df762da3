/** How much is measured. Counts are fixed and small, so that a whole run ends in less than six minutes. */
export const PLAN = {
  submit: {
    rounds: 3,
    jobs: 120,
    clients: [1, 8, 32],
    warmUpJobs: 40,
    oneByOneJobs: 30,
    noNewRoundAfterMs: 70_000,
  },
  end: { lanes: 8, jobsOfLane: 5 },
  growth: {
    jobs: [10, 100, 1000, 2000],
    waitingClients: [1, 50],
    windowMs: 10_200,
    reads: 200,
    listings: 10,
  },
  staging: { largeBytes: 256 * 1024 * 1024, largeRounds: 3, files: 1000, fileBytes: 4096, filesRounds: 2 },
} as const;

/** A run that is not done by then is broken off. */
export const LONGEST_RUN_MS = 6 * 60_000;
