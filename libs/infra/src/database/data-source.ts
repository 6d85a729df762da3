import pg from 'pg';
import { DataSource } from 'typeorm';
import type { Log } from './log.ts';
import { migrations } from './migrations/migrations.ts';
import { apiKeysTable } from './tables/api-keys.ts';
import { artifactsTable } from './tables/artifacts.ts';
import { boardHealthTable } from './tables/board-health.ts';
import { operationOutputTable } from './tables/operation-output.ts';
import { operationsTable } from './tables/operations.ts';
import { boardsTable } from './tables/boards.ts';
import { discoveriesTable } from './tables/discoveries.ts';
import { managedKeysTable } from './tables/managed-keys.ts';
import { jobEventsTable } from './tables/job-events.ts';
import { jobsTable } from './tables/jobs.ts';
import { nodeEventsTable } from './tables/node-events.ts';
import { observationsTable } from './tables/observations.ts';
import { serviceRevisionsTable } from './tables/service-revisions.ts';
import { servicesTable } from './tables/services.ts';
import { usersTable } from './tables/users.ts';

export interface DatabaseOptions {
  url: string;
  /** Connections that are open at most. */
  poolSize: number;
  log: Log;
}

export const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/**
 * Opens the database. A statement that takes longer than 30 s is broken off, by the server, and where that does not
 * answer any more, by this side.
 * @throws Error where no connection can be made within 5 s
 */
export function openDatabase(options: DatabaseOptions): Promise<DataSource> {
  return new DataSource({
    ...commonOptions(options),
    poolSize: options.poolSize,
    extra: {
      keepAlive: true,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS + CONNECT_TIMEOUT_MS,
    },
  }).initialize();
}

/** Opens the database for migrations, which take as long as they take. */
export function openForMigrations(options: Omit<DatabaseOptions, 'poolSize'>): Promise<DataSource> {
  return new DataSource({ ...commonOptions(options), poolSize: 1, extra: { keepAlive: true } }).initialize();
}

function commonOptions({ url, log }: Pick<DatabaseOptions, 'url' | 'log'>) {
  return {
    type: 'postgres' as const,
    // TypeORM would look for it by its name, which is not there where all is one bundle.
    driver: pg,
    url,
    applicationName: 'bramble',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    installExtensions: false,
    synchronize: false,
    // Statements are logged by nobody: their parameters are users' scripts and the digests of their keys.
    logging: false,
    entities: [
      ...[usersTable, apiKeysTable, artifactsTable, jobsTable, jobEventsTable, observationsTable],
      ...[boardsTable, operationsTable, operationOutputTable, managedKeysTable],
      ...[boardHealthTable, nodeEventsTable, discoveriesTable],
      ...[servicesTable, serviceRevisionsTable],
    ],
    migrations,
    migrationsTableName: 'schema_migrations',
    migrationsTransactionMode: 'each' as const,
    poolErrorHandler: (error: unknown) => log('warn', 'An idle connection to the database was lost.', error),
  };
}
