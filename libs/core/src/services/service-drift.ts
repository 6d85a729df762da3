import { z } from 'zod';
import type { ServiceOperation } from '../operations/operation.ts';
import type { ServiceRevision } from './service.ts';

export const serviceDriftSchema = z
  .object({
    operationId: z.string().describe('The check; what it shows has the fields that differ.'),
    checkedAt: z.iso.datetime(),
    steps: z
      .array(z.object({ step: z.string(), detail: z.string().nullable() }))
      .describe('Of the check, those that found something else; none where all is as it was applied.'),
  })
  .meta({ id: 'ServiceDrift' });
export type ServiceDrift = z.output<typeof serviceDriftSchema>;

/** @param operations of the service, newest first */
export function serviceDrift(
  current: ServiceRevision | null,
  operations: readonly ServiceOperation[],
): ServiceDrift | null {
  const check = operations.find(({ kind, state }) => kind === 'check' && state === 'done');
  if (current === null || check === undefined || check.endedAt === null) return null;
  if (check.endedAt < current.at) return null;
  return {
    operationId: check.id,
    checkedAt: check.endedAt.toISOString(),
    steps: check.steps
      .filter(({ state }) => state === 'differs')
      .map(({ name, detail }) => ({ step: name, detail })),
  };
}
