import { z } from 'zod';
import { roleSchema } from './permissions.ts';

export const accountNameSchema = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be a Unix account: 1 to 32 lower-case letters, digits, "_" or "-"')
  .refine((name) => name !== 'root', 'must not be root: jobs never run as root');

/**
 * What is known of a user's Unix account. The cluster is asked by a worker, so a new account is `unverified` for a
 * moment; a job of an account that turns out `absent` or `refused` is never submitted.
 */
export const ACCOUNT_STATUSES = ['unverified', 'verified', 'absent', 'refused'] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

export const userResourceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    role: roleSchema,
    account: z
      .object({
        name: z.string(),
        status: z.enum(ACCOUNT_STATUSES),
        message: z.string().nullable().describe('Why the account was refused, or was not found.'),
        uid: z.int().nullable(),
      })
      .nullable()
      .describe("Unix account that the user's jobs run as; null for users who submit none."),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });
export type UserResource = z.output<typeof userResourceSchema>;

export const newUserSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'must be 1 to 64 letters, digits, ".", "_", "@" or "-"'),
    role: roleSchema,
    account: accountNameSchema.optional().describe("Unix account that the user's jobs run as."),
  })
  .meta({ id: 'NewUser' });
export type NewUser = z.output<typeof newUserSchema>;

export interface User {
  id: string;
  name: string;
  role: z.output<typeof roleSchema>;
  account: string | null;
  accountStatus: AccountStatus;
  accountMessage: string | null;
  accountUid: number | null;
  createdAt: Date;
}

export function toUserResource(user: User): UserResource {
  return {
    id: user.id,
    name: user.name,
    role: user.role,
    account:
      user.account === null
        ? null
        : {
            name: user.account,
            status: user.accountStatus,
            message: user.accountMessage,
            uid: user.accountUid,
          },
    createdAt: user.createdAt.toISOString(),
  };
}
