import { z } from 'zod';
import { labelsSchema } from '../vocabulary/labels.ts';
import { boardNetworkSchema, boardRoleSchema, boardStorageSchema } from './board.ts';

/** A host name as DNS and Slurm take it: letters that are lower case, digits and "-". */
export const boardNameSchema = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be a host name of 1 to 63 lower-case letters, digits or "-", starting with a letter, such as "node02"',
  );

export const signInSchema = z
  .strictObject({
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be a Unix account')
      .default('pi')
      .describe('Account to sign in as: root, or one that may use sudo.'),
    password: z
      .string()
      .min(1)
      .max(256)
      .refine((text) => !/[\r\n\0]/.test(text), 'must be one line')
      .optional()
      .describe(
        'Used until the managed key is installed, then forgotten; kept, sealed, only for a sudo that asks.',
      ),
    privateKey: z
      .string()
      .min(1)
      .max(16_384)
      .optional()
      .describe('A private key instead, without a passphrase.'),
    sudoPassword: z
      .string()
      .min(1)
      .max(256)
      .refine((text) => !/[\r\n\0]/.test(text), 'must be one line')
      .optional()
      .describe("Password of sudo, where it asks for one. Left out: the sign-in's."),
    port: z.int().min(1).max(65_535).default(22),
    hostKey: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must be a fingerprint "SHA256:…", as ssh-keygen -lf prints it')
      .optional()
      .describe("Fingerprint of the board's host key. No other key is accepted."),
    acceptFirstHostKey: z
      .boolean()
      .default(false)
      .describe('Take the host key that the board shows the first time, and pin it.'),
  })
  .refine(
    ({ password, privateKey }) => (password === undefined) !== (privateKey === undefined),
    'must have exactly one of "password" and "privateKey"',
  )
  .refine(
    ({ hostKey, acceptFirstHostKey }) => (hostKey === undefined) === acceptFirstHostKey,
    'must have either "hostKey", or "acceptFirstHostKey": true',
  );

/** What an admin says of a board that is to be part of the cluster. */
export const enrolmentRequestSchema = z
  .strictObject({
    name: boardNameSchema.describe('Its host name in the cluster.'),
    address: z.ipv4('must be an IPv4 address').describe('IPv4 address at which it is reached.'),
    roles: z
      .array(boardRoleSchema)
      .min(1)
      .refine((roles) => new Set(roles).size === roles.length, 'must not name a role twice')
      .describe('`storage`, `compute`, or both.'),
    labels: labelsSchema,
    network: boardNetworkSchema
      .nullable()
      .default(null)
      .describe('The static address that the board is to have; null leaves its network as it is.'),
    storage: boardStorageSchema.nullable().default(null).describe('What a storage board offers.'),
    signIn: signInSchema,
  })
  .refine(({ roles, storage }) => storage === null || roles.includes('storage'), {
    path: ['storage'],
    message: 'is for boards with the role "storage"',
  })
  .meta({ id: 'EnrolmentRequest' });
/** What may be said when a board is enrolled again. */
export const applyRequestSchema = z
  .strictObject({
    signIn: signInSchema
      .optional()
      .describe(
        'A new way to sign in, with its host key: after a wrong password, or where the board was installed anew.',
      ),
    address: z.ipv4('must be an IPv4 address').optional().describe('Where the board is to be found now.'),
    network: boardNetworkSchema.nullable().optional(),
    storage: boardStorageSchema.nullable().optional(),
    replace: z
      .boolean()
      .default(false)
      .describe('Take another board under the same name: serial and machine id may differ from now on.'),
  })
  .default({ replace: false })
  .meta({ id: 'ApplyRequest' });
export type ApplyRequest = z.output<typeof applyRequestSchema>;

export type EnrolmentRequest = z.output<typeof enrolmentRequestSchema>;

/** Why something is done with a node. */
export const operationRequestSchema = z
  .strictObject({
    reason: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .refine((text) => !/[\p{Cc}"']/u.test(text), 'must be one line without quotes')
      .nullable()
      .default(null)
      .describe('Why; Slurm shows it at a drained node.'),
    force: z
      .boolean()
      .default(false)
      .describe('Not to wait for jobs that run there, and not to need the board.'),
  })
  .default({ reason: null, force: false })
  .meta({ id: 'OperationRequest' });
export type OperationRequest = z.output<typeof operationRequestSchema>;
