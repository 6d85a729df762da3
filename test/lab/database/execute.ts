import pg from 'pg';

/** Runs SQL over a connection of its own. */
export async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** What PostgreSQL answers the statement that it ends because two wait for each other. */
const DEADLOCK_DETECTED = '40P01';

/** Empties the tables of a schema but those of its migrations, while others read and write them. */
export async function emptyWhileInUse(url: string, schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname = $1 AND tablename NOT LIKE '%migration%'`,
      [schema],
    );
    const truncate = `TRUNCATE ${rows.map(({ name }) => name).join(', ')} CASCADE`;
    let emptied = false;
    while (!emptied) {
      emptied = await client.query(truncate).then(
        () => true,
        (cause: unknown) => {
          if (cause instanceof pg.DatabaseError && cause.code === DEADLOCK_DETECTED) return false;
          throw cause;
        },
      );
    }
  } finally {
    await client.end();
  }
}
