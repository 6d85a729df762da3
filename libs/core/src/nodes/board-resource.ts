import { z } from 'zod';
import {
  type Board,
  boardFactsSchema,
  boardNetworkSchema,
  boardRoleSchema,
  boardStorageSchema,
} from './board.ts';

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
