import { createHash } from 'node:crypto';

/**
 * The 64-bit key of PostgreSQL's advisory locks for a name, as decimal text. Such a lock belongs to a session: it
 * goes when the connection does, so it must not go through a pooler that shares connections.
 * @see https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
export function advisoryLockKey(name: string): string {
  return createHash('sha256').update(`bramble:${name}`).digest().readBigInt64BE(0).toString();
}
