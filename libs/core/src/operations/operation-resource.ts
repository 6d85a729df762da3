import { z } from 'zod';
import { reasonSchema } from '../jobs/job.ts';
import {
  isOver,
  NODE_OPERATION_KINDS,
  type Operation,
  OPERATION_STATES,
  SERVICE_OPERATION_KINDS,
  STEP_STATES,
  SUBJECT_KINDS,
} from './operation.ts';

const timestamp = z.iso.datetime();
const OPERATION_KINDS = [...new Set([...NODE_OPERATION_KINDS, ...SERVICE_OPERATION_KINDS])];

export const operationResourceSchema = z
  .object({
    id: z.string(),
    about: z.enum(SUBJECT_KINDS),
    subject: z.string().describe('Name of the node or of the service.'),
    kind: z
      .enum(OPERATION_KINDS)
      .describe(
        '`enrol` applies what differs, `check` only looks, `plan` tells what would be done and changes nothing.',
      ),
    parameters: z.object({
      reason: z.string().nullable(),
      force: z.boolean(),
      keepFailed: z.boolean().optional(),
      revision: z.int().nullable().optional(),
    }),
    state: z.enum(OPERATION_STATES),
    finished: z.boolean(),
    reason: reasonSchema
      .nullable()
      .describe('What it waits for, or why it failed; the code is the name of the step.'),
    steps: z.array(
      z.object({
        name: z.string(),
        title: z.string(),
        state: z.enum(STEP_STATES),
        detail: z.string().nullable().describe('What was found, what was done, or what is in the way.'),
        startedAt: timestamp.nullable(),
        endedAt: timestamp.nullable(),
      }),
    ),
    cancelRequestedAt: timestamp.nullable(),
    createdAt: timestamp,
    startedAt: timestamp.nullable(),
    endedAt: timestamp.nullable(),
    version: z.int().describe('Grows with every change.'),
  })
  .meta({ id: 'Operation' });
export type OperationResource = z.output<typeof operationResourceSchema>;

export const operationOutputSchema = z
  .object({
    seq: z.int().describe('Counts from 1.'),
    step: z.string().describe('Name of the step that has shown it.'),
    text: z.string(),
  })
  .meta({ id: 'OperationOutput' });

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

export function toOperationResource(operation: Operation): OperationResource {
  const { reason, force } = operation.parameters;
  return {
    id: operation.id,
    about: operation.about,
    subject: operation.subject,
    kind: operation.kind,
    parameters:
      operation.about === 'node'
        ? { reason, force }
        : {
            reason,
            force,
            keepFailed: operation.parameters.keepFailed,
            revision: operation.parameters.revision,
          },
    state: operation.state,
    finished: isOver(operation.state),
    reason: operation.reason,
    steps: operation.steps.map((step) => ({
      ...step,
      startedAt: iso(step.startedAt),
      endedAt: iso(step.endedAt),
    })),
    cancelRequestedAt: iso(operation.cancelRequestedAt),
    createdAt: operation.createdAt.toISOString(),
    startedAt: iso(operation.startedAt),
    endedAt: iso(operation.endedAt),
    version: operation.version,
  };
}
