import type { AccessStore } from '#core/access/access-store';
import type { ApiKey } from '#core/access/api-key';
import type { AccountStatus, User } from '#core/access/user';

export class MemoryAccessStore implements AccessStore {
  readonly #users = new Map<string, User>();
  readonly #keys = new Map<string, ApiKey>();
  readonly #verifiedAt = new Map<string, Date>();

  async insertUser(user: User): Promise<boolean> {
    if ([...this.#users.values()].some(({ name }) => name === user.name)) return false;
    this.#users.set(user.id, structuredClone(user));
    return true;
  }

  async findUser(id: string): Promise<User | undefined> {
    return structuredClone(this.#users.get(id));
  }

  async listUsers(): Promise<User[]> {
    return structuredClone([...this.#users.values()]);
  }

  async usersToVerify(before: Date, limit: number): Promise<User[]> {
    const due = [...this.#users.values()].filter(({ id, account }) => {
      const at = this.#verifiedAt.get(id);
      return account !== null && (at === undefined || at < before);
    });
    return structuredClone(due.slice(0, limit));
  }

  async recordAccount(
    userId: string,
    status: AccountStatus,
    { message, uid, at }: { message: string | null; uid: number | null; at: Date },
  ): Promise<void> {
    const user = this.#users.get(userId);
    if (user === undefined) return;
    Object.assign(user, { accountStatus: status, accountMessage: message, accountUid: uid });
    this.#verifiedAt.set(userId, at);
  }

  async insertKey(key: ApiKey): Promise<void> {
    this.#keys.set(key.id, structuredClone(key));
  }

  async findKeyByPrefix(prefix: string): Promise<{ key: ApiKey; user: User } | undefined> {
    const key = [...this.#keys.values()].find((candidate) => candidate.prefix === prefix);
    const user = key === undefined ? undefined : this.#users.get(key.userId);
    return key === undefined || user === undefined ? undefined : structuredClone({ key, user });
  }

  async listKeys(userId: string | undefined): Promise<ApiKey[]> {
    return structuredClone(
      [...this.#keys.values()].filter((key) => userId === undefined || key.userId === userId),
    );
  }

  async revokeKey(id: string, at: Date): Promise<boolean> {
    const key = this.#keys.get(id);
    if (key === undefined) return false;
    key.revokedAt ??= at;
    return true;
  }
}
