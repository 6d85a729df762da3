// Brings the schema of the database up to date, and ends. A database that is not up yet is waited for; any other
// failure ends it at once. Replicas may do so at the same time: see migrate.ts of the database.
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '#infra/database/migrate';

const WAIT_MS = 600_000;
const TRY_AGAIN_MS = 2_000;
/**
 * PostgreSQL's `cannot_connect_now` stands for a server that starts or stops.
 * @see https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
const NOT_UP = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  '57P03',
]);

function isNotUp(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.every(isNotUp);
  return NOT_UP.has(codeOf(error) ?? '') || /timeout|terminated/i.test(error.message);
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const write = (level: string, message: string) =>
  process.stdout.write(`${JSON.stringify({ level, msg: message })}\n`);

const url = process.env.DATABASE_URL ?? '';
if (url.trim() === '') {
  process.stderr.write('The image has no database of its own: name a PostgreSQL in DATABASE_URL.\n');
  process.exit(1);
}
const deadline = Date.now() + WAIT_MS;
for (;;) {
  try {
    const names = await migrate({ url, log: write });
    if (names.length === 0) write('info', 'The database is up to date.');
    break;
  } catch (error) {
    if (!isNotUp(error) || Date.now() > deadline) throw error;
    write('info', `Waiting for the database: ${codeOf(error) ?? String(error)}`);
    await sleep(TRY_AGAIN_MS);
  }
}
