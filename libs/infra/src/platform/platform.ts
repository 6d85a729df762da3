import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccessStore, KeyMaterial } from '#core/access/access-store';
import type { ArtifactContents, ArtifactStore } from '#core/artifacts/artifact';
import type { ClusterObservations } from '#core/cluster/cluster';
import type { SharedConfiguration } from '#core/configuration/configuration';
import type { JobChanges, JobStore } from '#core/jobs/job-store';
import type { BoardStore } from '#core/nodes/board-store';
import type { DiscoveryStore } from '#core/nodes/discovery/discovery';
import type { BoardInventory } from '#core/nodes/inventory/board-inventory';
import type { NodeEvents } from '#core/nodes/inventory/node-event';
import type { ManagedKey } from '#core/nodes/managed-key';
import type { OperationStore } from '#core/operations/operation-store';
import type { SecretBox } from '#core/nodes/secret-box';
import type { ServiceStore } from '#core/services/service-store';
import type { RunDirectories } from '#core/jobs/run-directory';
import type { RunFiles } from '#core/jobs/run-files';
import { present } from '#core/vocabulary/answer';
import type { Clock, IdGenerator } from '#core/vocabulary/clock';
import { generateManagedKey } from '../boards/managed-key.ts';
import { openDatabase } from '../database/data-source.ts';
import { startEmbeddedDatabase } from '../database/embedded-database.ts';
import { exclusively } from '../database/exclusively.ts';
import { PostgresJobChanges } from '../database/job-changes.ts';
import type { Log } from '../database/log.ts';
import { migrate } from '../database/migrate.ts';
import { TypeormAccessStore } from '../database/typeorm-access-store.ts';
import { storedManagedKey } from '../database/stored-managed-key.ts';
import { TypeormArtifactStore } from '../database/typeorm-artifact-store.ts';
import { TypeormBoardInventory } from '../database/typeorm-board-inventory.ts';
import { TypeormBoardStore } from '../database/typeorm-board-store.ts';
import { TypeormClusterObservations } from '../database/typeorm-cluster-observations.ts';
import { TypeormDiscoveryStore } from '../database/typeorm-discovery-store.ts';
import { TypeormJobStore } from '../database/typeorm-job-store.ts';
import { TypeormOperationStore } from '../database/typeorm-operation-store.ts';
import { TypeormNodeEvents } from '../database/typeorm-node-events.ts';
import { TypeormServiceStore } from '../database/typeorm-service-store.ts';
import { keyMaterial } from '../identity/key-material.ts';
import { openSecretBox } from '../identity/open-secret-box.ts';
import { systemClock } from '../identity/system-clock.ts';
import { typeIdGenerator } from '../identity/type-id-generator.ts';
import type { Logger } from '../observability/logger.ts';
import type { ReadinessPart } from '../observability/readiness.ts';
import { openQueues, type Queues } from '../queue/open-queues.ts';
import { StorageLayout } from '../storage/storage-layout.ts';
import { StorageProbe } from '../storage/storage-probe.ts';
import { StoredArtifactContents } from '../storage/stored-artifact-contents.ts';
import { StoredRunDirectories } from '../storage/stored-run-directories.ts';
import { StoredRunFiles } from '../storage/stored-run-files.ts';
import { sweepStaging } from '../storage/sweep-staging.ts';

/** Everything that the api and the worker share: database, queues and shared storage, as core's ports. */
export interface Platform {
  databaseUrl: string;
  jobs: JobStore;
  artifacts: ArtifactStore;
  access: AccessStore;
  boards: BoardStore;
  operations: OperationStore;
  services: ServiceStore;
  inventory: BoardInventory;
  nodeEvents: NodeEvents;
  discoveries: DiscoveryStore;
  secrets: SecretBox;
  managedKey: () => Promise<ManagedKey>;
  observations: ClusterObservations;
  changes: JobChanges;
  queues: Queues;
  storage: {
    runs: RunDirectories;
    files: RunFiles;
    artifactContents: ArtifactContents;
    sweepStaging: () => Promise<number>;
  };
  clock: Clock;
  ids: IdGenerator;
  keyMaterial: KeyMaterial;
  readinessParts: () => ReadinessPart[];
  /** Runs `work` while no other process of this installation runs work of the same name. */
  exclusively: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  close: () => Promise<void>;
}

/**
 * Opens everything, in order. With nothing configured, an embedded PostgreSQL is started, and the shared storage is a
 * directory of this machine.
 */
export async function openPlatform(configuration: SharedConfiguration, logger: Logger): Promise<Platform> {
  const log = asLog(logger);
  const databaseUrl = configuration.DATABASE_URL ?? (await embeddedDatabaseUrl(configuration, log));
  await migrate({ url: databaseUrl, log });
  const dataSource = await openDatabase({
    url: databaseUrl,
    poolSize: configuration.BRAMBLE_DATABASE_POOL,
    log,
  });
  const secrets = await openSecretBox(configuration.BRAMBLE_SECRET_KEYS, configuration.BRAMBLE_HOME);
  const queues = await openQueues(
    configuration.REDIS_URL === undefined ? { databaseUrl } : { redisUrl: configuration.REDIS_URL },
    log,
  );
  const changes = new PostgresJobChanges({ url: databaseUrl, log });
  changes.start();
  const layout = new StorageLayout({
    root: await storageRoot(configuration),
    clusterRoot: configuration.BRAMBLE_STORAGE_CLUSTER_ROOT,
    groupId: configuration.BRAMBLE_STORAGE_GROUP_ID,
  });
  await layout.prepare();
  const artifactContents = new StoredArtifactContents(layout);
  const probe = StorageProbe.of(layout);

  return {
    databaseUrl,
    jobs: new TypeormJobStore(dataSource),
    artifacts: new TypeormArtifactStore(dataSource),
    access: new TypeormAccessStore(dataSource),
    boards: new TypeormBoardStore(dataSource),
    operations: new TypeormOperationStore(dataSource),
    services: new TypeormServiceStore(dataSource),
    inventory: new TypeormBoardInventory(dataSource),
    nodeEvents: new TypeormNodeEvents(dataSource),
    discoveries: new TypeormDiscoveryStore(dataSource),
    secrets,
    managedKey: () =>
      storedManagedKey(dataSource, {
        secrets,
        generate: () => generateManagedKey('bramble'),
        now: () => systemClock.now(),
      }),
    observations: new TypeormClusterObservations(dataSource),
    changes,
    queues,
    storage: {
      runs: new StoredRunDirectories(layout, artifactContents),
      files: new StoredRunFiles(layout),
      artifactContents,
      sweepStaging: () => sweepStaging(layout, new Date()),
    },
    clock: systemClock,
    ids: typeIdGenerator,
    keyMaterial,
    readinessParts: () => [
      { name: 'database', required: true, check: async () => present(await dataSource.query('SELECT 1')) },
      { name: 'queue', required: true, check: () => queues.ping() },
      { name: 'storage', required: true, check: () => probe.probe() },
    ],
    exclusively: (name, work) => exclusively(dataSource, name, work),
    close: async () => {
      await changes.stop();
      await queues.close();
      await dataSource.destroy();
    },
  };
}

async function embeddedDatabaseUrl({ BRAMBLE_HOME }: SharedConfiguration, log: Log): Promise<string> {
  await mkdir(BRAMBLE_HOME, { recursive: true, mode: 0o755 });
  const { url } = await startEmbeddedDatabase({ dataDirectory: join(BRAMBLE_HOME, 'postgres'), log });
  return url;
}

async function storageRoot(configuration: SharedConfiguration): Promise<string> {
  const given = configuration.BRAMBLE_STORAGE_ROOT;
  if (given !== undefined) return given;
  const root = join(configuration.BRAMBLE_HOME, 'storage');
  await mkdir(root, { recursive: true, mode: 0o755 });
  return root;
}

function asLog(logger: Logger): Log {
  return (level, message, error) =>
    error === undefined ? logger[level](message) : logger[level]({ err: error }, message);
}
