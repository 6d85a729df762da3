import type { ApiKey } from './api-key.ts';
import type { AccountStatus, User } from './user.ts';

/** Users and their keys in the database. */
export interface AccessStore {
  /** @returns false where another user has the name */
  insertUser(user: User): Promise<boolean>;
  findUser(id: string): Promise<User | undefined>;
  listUsers(): Promise<User[]>;
  /** Users whose account has not been looked up, or not since `before`. */
  usersToVerify(before: Date, limit: number): Promise<User[]>;
  recordAccount(
    userId: string,
    status: AccountStatus,
    details: { message: string | null; uid: number | null; at: Date },
  ): Promise<void>;

  insertKey(key: ApiKey): Promise<void>;
  findKeyByPrefix(prefix: string): Promise<{ key: ApiKey; user: User } | undefined>;
  listKeys(userId: string | undefined): Promise<ApiKey[]>;
  /** @returns false where there is no such key */
  revokeKey(id: string, at: Date): Promise<boolean>;
}

/** Random secrets and their digests. */
export interface KeyMaterial {
  newPrefix(): string;
  newSecret(): string;
  sha256(text: string): string;
  /** Compares in a time that does not depend on where the texts differ. */
  equal(a: string, b: string): boolean;
}
