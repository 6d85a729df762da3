import { z } from 'zod';

const truth = z.stringbool({
  truthy: ['true'],
  falsy: ['false'],
  error: 'must be "true" or "false"',
});

/** A flag of a query: `true`, `false`, or left out, which is `false`. */
export const queryFlag = (description: string) => truth.default(false).describe(description);

export const dryRunQuerySchema = z.strictObject({
  dryRun: queryFlag('Only look, and tell what would be done.'),
});
export type DryRunQuery = z.output<typeof dryRunQuerySchema>;
