import type { DataSource } from 'typeorm';
import type { AccessStore } from '#core/access/access-store';
import type { ApiKey } from '#core/access/api-key';
import type { AccountStatus, User } from '#core/access/user';
import { runSql } from './run-sql.ts';
import { columnList } from './sql-text.ts';
import { storableJson, storableText } from './storable-text.ts';
import type { ApiKeyRow } from './tables/api-keys.ts';
import type { UserRow } from './tables/users.ts';

const USER_COLUMNS = [
  'id',
  'name',
  'role',
  'account',
  'account_status',
  'account_message',
  'account_uid',
  'created_at',
] as const satisfies (keyof UserRow)[];

const KEY_COLUMNS = [
  'id',
  'user_id',
  'label',
  'prefix',
  'sha256',
  'scopes',
  'created_at',
  'expires_at',
  'revoked_at',
] as const satisfies (keyof ApiKeyRow)[];

type StoredUser = Pick<UserRow, (typeof USER_COLUMNS)[number]>;

const SELECT_USER = `SELECT ${columnList(USER_COLUMNS)} FROM users`;
const SELECT_KEY = `SELECT ${columnList(KEY_COLUMNS)} FROM api_keys`;

export class TypeormAccessStore implements AccessStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async insertUser(user: User): Promise<boolean> {
    const rows = await this.#rows(
      `INSERT INTO users (${columnList(USER_COLUMNS)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (name) DO NOTHING RETURNING id`,
      [
        user.id,
        user.name,
        user.role,
        user.account,
        user.accountStatus,
        user.accountMessage,
        user.accountUid,
        user.createdAt,
      ],
    );
    return rows.length === 1;
  }

  async findUser(id: string): Promise<User | undefined> {
    const [row] = await this.#rows<StoredUser>(`${SELECT_USER} WHERE id = $1`, [id]);
    return row === undefined ? undefined : toUser(row);
  }

  /** Oldest first. */
  async listUsers(): Promise<User[]> {
    return (await this.#rows<StoredUser>(`${SELECT_USER} ORDER BY created_at, id`)).map(toUser);
  }

  async usersToVerify(before: Date, limit: number): Promise<User[]> {
    const rows = await this.#rows<StoredUser>(
      `${SELECT_USER}
       WHERE account IS NOT NULL AND (account_checked_at IS NULL OR account_checked_at < $1)
       ORDER BY account_checked_at NULLS FIRST, created_at LIMIT $2`,
      [before, limit],
    );
    return rows.map(toUser);
  }

  async recordAccount(
    userId: string,
    status: AccountStatus,
    details: { message: string | null; uid: number | null; at: Date },
  ): Promise<void> {
    const { message, uid, at } = details;
    await this.#rows(
      `UPDATE users SET account_status = $2, account_message = $3, account_uid = $4, account_checked_at = $5
       WHERE id = $1`,
      [userId, status, message === null ? null : storableText(message), uid, at],
    );
  }

  async insertKey(key: ApiKey): Promise<void> {
    await this.#rows(
      `INSERT INTO api_keys (${columnList(KEY_COLUMNS)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        key.id,
        key.userId,
        storableText(key.label),
        key.prefix,
        key.sha256,
        storableJson(key.scopes),
        key.createdAt,
        key.expiresAt,
        key.revokedAt,
      ],
    );
  }

  async findKeyByPrefix(prefix: string): Promise<{ key: ApiKey; user: User } | undefined> {
    const user = USER_COLUMNS.map((column) => `users.${column} AS user_${column}`).join(', ');
    const [row] = await this.#rows<
      ApiKeyRow & { [Column in keyof StoredUser as `user_${Column}`]: StoredUser[Column] }
    >(
      `SELECT ${user}, ${columnList(KEY_COLUMNS, 'api_keys')}
       FROM api_keys JOIN users ON users.id = api_keys.user_id WHERE prefix = $1`,
      [prefix],
    );
    if (row === undefined) return undefined;
    return {
      key: toKey(row),
      user: toUser({
        id: row.user_id,
        name: row.user_name,
        role: row.user_role,
        account: row.user_account,
        account_status: row.user_account_status,
        account_message: row.user_account_message,
        account_uid: row.user_account_uid,
        created_at: row.user_created_at,
      }),
    };
  }

  /** Oldest first. */
  async listKeys(userId: string | undefined): Promise<ApiKey[]> {
    const rows =
      userId === undefined
        ? await this.#rows<ApiKeyRow>(`${SELECT_KEY} ORDER BY created_at, id`)
        : await this.#rows<ApiKeyRow>(`${SELECT_KEY} WHERE user_id = $1 ORDER BY created_at, id`, [userId]);
    return rows.map(toKey);
  }

  async revokeKey(id: string, at: Date): Promise<boolean> {
    const rows = await this.#rows(
      `WITH revoked AS (
         UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING id
       )
       SELECT id FROM revoked`,
      [id, at],
    );
    return rows.length === 1;
  }

  #rows<Row>(sql: string, parameters?: unknown[]): Promise<Row[]> {
    return runSql<Row>(this.#dataSource, sql, parameters);
  }
}

function toUser(row: StoredUser): User {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    account: row.account,
    accountStatus: row.account_status,
    accountMessage: row.account_message,
    accountUid: row.account_uid === null ? null : Number(row.account_uid),
    createdAt: row.created_at,
  };
}

function toKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    userId: row.user_id,
    label: row.label,
    prefix: row.prefix,
    sha256: row.sha256,
    scopes: row.scopes,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}
