import type { DataSource } from 'typeorm';
import type { ManagedKey } from '#core/nodes/managed-key';
import type { SecretBox } from '#core/nodes/secret-box';
import { runSql } from './run-sql.ts';
import type { ManagedKeyRow } from './tables/managed-keys.ts';

const ID = 'current';
const PURPOSE = 'managed-key';

export interface StoredManagedKeyPorts {
  secrets: SecretBox;
  generate: () => ManagedKey;
  now: () => Date;
}

/**
 * The managed key of this installation, from the database; made where there is none, once for all processes, and sealed
 * anew where an older key has sealed it.
 */
export async function storedManagedKey(
  dataSource: DataSource,
  { secrets, generate, now }: StoredManagedKeyPorts,
): Promise<ManagedKey> {
  const known = await find(dataSource, secrets);
  if (known !== undefined) return known;
  const { publicKeyLine, privateKey } = generate();
  await runSql(
    dataSource,
    `INSERT INTO managed_keys (id, public_key_line, sealed_private_key, created_at)
     VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
    [ID, publicKeyLine, secrets.seal(privateKey, PURPOSE), now()],
  );
  const stored = await find(dataSource, secrets);
  if (stored === undefined) throw new Error('the managed key was stored, and is not there any more');
  return stored;
}

async function find(dataSource: DataSource, secrets: SecretBox): Promise<ManagedKey | undefined> {
  const [row] = await runSql<ManagedKeyRow>(dataSource, 'SELECT * FROM managed_keys WHERE id = $1', [ID]);
  if (row === undefined) return undefined;
  const { public_key_line: publicKeyLine, sealed_private_key: sealed } = row;
  const privateKey = secrets.open(sealed, PURPOSE);
  if (secrets.isStale(sealed)) {
    await runSql(
      dataSource,
      'UPDATE managed_keys SET sealed_private_key = $3 WHERE id = $1 AND sealed_private_key = $2',
      [ID, sealed, secrets.seal(privateKey, PURPOSE)],
    );
  }
  return { publicKeyLine, privateKey };
}
