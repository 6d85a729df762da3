import { z } from 'zod';
import { reasonSchema } from '../jobs/job.ts';
import {
  type Board,
  boardFactsSchema,
  boardNetworkSchema,
  boardRoleSchema,
  boardStorageSchema,
} from './board.ts';
import { isOver, type Operation, OPERATION_KINDS, OPERATION_STATES, STEP_STATES } from './operation.ts';

const timestamp = z.iso.datetime();

/** A board as admins see it. Secrets are never among what is shown. */
export const boardResourceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    address: z.string(),
    roles: z.array(boardRoleSchema),
    labels: z.record(z.string(), z.string()),
    network: boardNetworkSchema.nullable(),
    storage: boardStorageSchema.nullable(),
    signIn: z.object({
      user: z.string(),
      port: z.int(),
      hostKey: z.string().nullable().describe('The pinned fingerprint; null before the first connection.'),
      managed: z
        .boolean()
        .describe("Whether the managed key is installed, and the admin's secret forgotten."),
    }),
    facts: boardFactsSchema
      .nullable()
      .describe('What the board said of itself; null before the first connection.'),
    factsAt: timestamp.nullable(),
    createdAt: timestamp,
  })
  .meta({ id: 'Board' });
export type BoardResource = z.output<typeof boardResourceSchema>;

export const operationResourceSchema = z
  .object({
    id: z.string(),
    node: z.string().describe('Name of the node.'),
    kind: z
      .enum(OPERATION_KINDS)
      .describe(
        '`enrol` applies what differs, `check` only looks, `plan` looks at a board that is not enrolled.',
      ),
    parameters: z.object({ reason: z.string().nullable(), force: z.boolean() }),
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
  .meta({ id: 'BoardOperation' });
export type OperationResource = z.output<typeof operationResourceSchema>;

export const operationOutputSchema = z
  .object({
    seq: z.int().describe('Counts from 1.'),
    step: z.string().describe('Name of the step that has shown it.'),
    text: z.string(),
  })
  .meta({ id: 'OperationOutput' });

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

export function toBoardResource(board: Board): BoardResource {
  return {
    id: board.id,
    name: board.name,
    address: board.address,
    roles: board.roles,
    labels: board.labels,
    network: board.network,
    storage: board.storage,
    signIn: {
      user: board.signInUser,
      port: board.sshPort,
      hostKey: board.hostKeySha256,
      managed: board.sealedSignIn === null,
    },
    facts: board.facts,
    factsAt: iso(board.factsAt),
    createdAt: board.createdAt.toISOString(),
  };
}

export function toOperationResource(operation: Operation): OperationResource {
  return {
    id: operation.id,
    node: operation.node,
    kind: operation.kind,
    parameters: operation.parameters,
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
