import { z } from 'zod';
import { permissionSchema } from './permissions.ts';
import type { Permission } from './permissions.ts';

/**
 * An API key reads `brk_<prefix>_<secret>`: the prefix finds the row and may be shown, of the secret only the
 * SHA-256 is kept. The secret has 256 random bits, so a slow hash would add nothing.
 */
const API_KEY = /^brk_([0-9a-z]{12})_([0-9A-Za-z_-]{43})$/;

export const formatApiKey = (prefix: string, secret: string): string => `brk_${prefix}_${secret}`;

/** @returns the prefix of a well-formed key, or undefined */
export const apiKeyPrefix = (key: string): string | undefined => API_KEY.exec(key)?.[1];

export interface ApiKey {
  id: string;
  userId: string;
  label: string;
  prefix: string;
  /** Hexadecimal SHA-256 of the whole key. */
  sha256: string;
  /** null: all that the user's role may do. */
  scopes: Permission[] | null;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

export const apiKeyResourceSchema = z
  .object({
    id: z.string(),
    user: z.string().describe('Id of the user that the key stands for.'),
    label: z.string(),
    prefix: z.string().describe('The part of the key that may be shown.'),
    scopes: z.array(permissionSchema).nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyResource = z.output<typeof apiKeyResourceSchema>;

export const createdApiKeySchema = apiKeyResourceSchema
  .extend({ key: z.string().describe('The key itself. It is shown this once and kept nowhere.') })
  .meta({ id: 'CreatedApiKey' });
export type CreatedApiKey = z.output<typeof createdApiKeySchema>;

export const newApiKeySchema = z
  .strictObject({
    user: z.string().regex(/^usr_[0-9a-z]{26}$/, 'must be the id of a user'),
    label: z
      .string()
      .min(1)
      .max(100)
      .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters'),
    scopes: z.array(permissionSchema).min(1).optional().describe('Left out: all that the role may do.'),
    expiresAt: z.iso.datetime().optional().describe('Left out: never.'),
  })
  .meta({ id: 'NewApiKey' });
export type NewApiKey = z.output<typeof newApiKeySchema>;

export function toApiKeyResource(key: ApiKey): ApiKeyResource {
  return {
    id: key.id,
    user: key.userId,
    label: key.label,
    prefix: key.prefix,
    scopes: key.scopes,
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
  };
}
