import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccessStore } from '#core/access/access-store';
import type { ManageAccess } from '#core/access/manage-access';

export interface FirstAdminOptions {
  /** Where the key is written. */
  home: string;
  /** Unix account of the admin; null for one that submits no jobs. */
  account: string | null;
}

/**
 * Makes the user `admin` with a key where there is no user yet, and writes the key to a file that only its owner can
 * read. The key itself is not logged.
 * @returns the path of the file, or undefined where there are users already
 */
export async function makeFirstAdmin(
  store: AccessStore,
  access: ManageAccess,
  { home, account }: FirstAdminOptions,
): Promise<string | undefined> {
  const users = await store.listUsers();
  const admin = users.find(({ name }) => name === 'admin');
  // A start that was cut off between the user and its key is made up for.
  if (users.length > 1 || (users.length === 1 && admin === undefined)) return undefined;
  if (admin !== undefined && (await store.listKeys(admin.id)).length > 0) return undefined;
  const user =
    admin ??
    (await access.createUser({ name: 'admin', role: 'admin', ...(account === null ? {} : { account }) }));
  const path = join(home, 'admin.key');
  await access.createKey({ user: user.id, label: 'first start' }, async (key) => {
    await mkdir(home, { recursive: true });
    await writeFile(path, `${key}\n`, { mode: 0o600, flush: true });
  });
  return path;
}
