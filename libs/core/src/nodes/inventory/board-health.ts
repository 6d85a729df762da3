import { z } from 'zod';
import { type Reason, reasonSchema } from '../../jobs/job.ts';

/**
 * `degraded`: it answers, and something is wrong with it. `unreachable`: nobody answers at its address. `unknown`:
 * somebody answers there, and Bramble cannot tell how the board is; or it has not looked yet.
 */
export const HEALTH_STATES = ['healthy', 'degraded', 'unreachable', 'unknown'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/** What a board tells of itself at a look. */
export const boardConditionSchema = z
  .object({
    temperatureCelsius: z.number().nullable(),
    throttled: z
      .array(z.string())
      .nullable()
      .describe('What `vcgencmd get_throttled` tells; null where it cannot be asked.'),
    clockSkewSeconds: z.number().describe("The board's clock less that of the worker."),
    clockSkewUncertaintySeconds: z
      .number()
      .describe('The true skew is at most this far from `clockSkewSeconds`: half of the round trip.'),
    rootUsedPercent: z.number().describe('How full the file system of / is, as `df` counts it.'),
    rootFreeMebibytes: z.int().describe('What is left of / for accounts other than root.'),
    load: z.number().describe('Load of the last minute.'),
    bootId: z.string().describe('Another one after every start.'),
    bootedAt: z.iso.datetime(),
    readAt: z.iso.datetime().describe('When the board told this.'),
  })
  .meta({ id: 'BoardCondition' });
export type BoardCondition = z.output<typeof boardConditionSchema>;

export const boardHealthSchema = z
  .object({
    state: z
      .enum(HEALTH_STATES)
      .describe(
        '`degraded`: it answers, and `reasons` say what is wrong. `unreachable`: nobody answers. `unknown`: somebody ' +
          'answers and Bramble cannot tell how the board is, or it has not looked yet.',
      ),
    reasons: z.array(reasonSchema),
    observedAt: z.iso.datetime().nullable().describe('When it was last looked; null before the first time.'),
    since: z.iso.datetime().nullable().describe('Since when the state is what it is.'),
    condition: boardConditionSchema
      .nullable()
      .describe('What the board last told; null before the first time.'),
  })
  .meta({ id: 'BoardHealth' });
export type BoardHealthResource = z.output<typeof boardHealthSchema>;

/** How a board is, as the database holds it. */
export interface BoardHealth {
  boardId: string;
  state: HealthState;
  reasons: Reason[];
  observedAt: Date;
  since: Date;
  condition: BoardCondition | null;
  /** Looks in a row that have not found out how the board is. */
  failures: number;
  nextLookAt: Date;
}

export function toBoardHealthResource(health: BoardHealth | null): BoardHealthResource {
  if (health === null)
    return { state: 'unknown', reasons: [], observedAt: null, since: null, condition: null };
  const { state, reasons, observedAt, since, condition } = health;
  return { state, reasons, condition, observedAt: observedAt.toISOString(), since: since.toISOString() };
}
