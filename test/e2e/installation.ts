import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bramble } from '@bramble/sdk';
import { startEmbeddedDatabase, stopEmbeddedDatabase } from '#infra/database/embedded-database';
import { freshMigratedDatabase } from '../lab/database/database-server.ts';
import { freePort } from '../lab/free-port.ts';
import type { SlurmLab } from '../lab/slurm-lab.ts';
import { ServiceProcess } from './service-process.ts';

/** Bramble on the lab: api and worker as processes, a database and a storage of its own. */
export interface Installation {
  home: string;
  storage: string;
  apiUrl: string;
  /** Key of the user `admin`, whose jobs run as the lab's first account. */
  adminKey: string;
  admin: Bramble;
  api: ServiceProcess;
  worker: ServiceProcess;
  /** Another worker on the same database, not started yet. */
  anotherWorker: (entryFile: string, environment?: Record<string, string>) => Promise<ServiceProcess>;
  databaseUrl: () => Promise<string>;
  /** A new user with a key. */
  user: (options: {
    name: string;
    role: 'viewer' | 'user' | 'operator' | 'admin';
    account?: string;
  }) => Promise<{ id: string; key: string; client: Bramble }>;
  stop: () => Promise<void>;
}

const entryFile = (app: 'api' | 'worker') => fileURLToPath(new URL(`../../dist/${app}.js`, import.meta.url));

export interface InstallationOptions {
  /** Settings of one of them alone. */
  api?: Record<string, string>;
  worker?: Record<string, string>;
  /** `embedded`: a server of its own, as where nothing is configured. Default: a database on the server of all specs. */
  database?: 'shared' | 'embedded';
}

/** @param environment further settings for api and worker */
export async function startInstallation(
  lab: Pick<SlurmLab, 'dir' | 'storageDir' | 'accounts' | 'slurmConf' | 'binDir'>,
  environment: Record<string, string> = {},
  { api: ofApi, worker: ofWorker, database = 'shared' }: InstallationOptions = {},
): Promise<Installation> {
  mkdirSync(join(lab.dir, 'e2e'), { recursive: true, mode: 0o755 });
  const home = reachableDirectory(join(lab.dir, 'e2e', 'home-'));
  const storage = reachableDirectory(join(lab.storageDir, 'e2e-'));
  const [apiPort, workerPort] = [await freePort(), await freePort()];
  const fresh = database === 'shared' ? await freshMigratedDatabase() : undefined;
  const shared = {
    ...(fresh === undefined ? {} : { DATABASE_URL: fresh.url }),
    BRAMBLE_HOME: home,
    BRAMBLE_STORAGE_ROOT: storage,
    BRAMBLE_ADMIN_ACCOUNT: lab.accounts.first,
    // Specs kill workers by the dozen, and wait each time.
    BRAMBLE_TAKEOVER_AFTER_MS: '4000',
    BRAMBLE_PORT: String(apiPort),
    SLURM_CONF: lab.slurmConf,
    SLURM_BIN_DIR: lab.binDir,
    ...environment,
  };
  const service = (name: string, file: string, port: number, extra: Record<string, string> = {}) =>
    new ServiceProcess({
      entryFile: file,
      environment: { ...shared, BRAMBLE_WORKER_PORT: String(port), ...extra },
      logFile: join(home, `${name}.log`),
      url: `http://127.0.0.1:${name === 'api' ? apiPort : port}`,
    });
  const api = service('api', entryFile('api'), workerPort, ofApi);
  const worker = service('worker', entryFile('worker'), workerPort, ofWorker);
  const others: ServiceProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all([api, worker, ...others].map((one) => one.stop()));
    await (fresh === undefined ? stopEmbeddedDatabase(join(home, 'postgres')) : fresh.drop());
    rmSync(home, { recursive: true, force: true });
    rmSync(storage, { recursive: true, force: true });
  };
  try {
    await api.start();
    await worker.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const adminKey = readFileSync(join(home, 'admin.key'), 'utf8').trim();
  const client = (apiKey: string) => new Bramble({ baseUrl: api.url, apiKey });
  const admin = client(adminKey);
  let workers = 1;

  return {
    home,
    storage,
    apiUrl: api.url,
    adminKey,
    admin,
    api,
    worker,
    anotherWorker: async (file, extra) => {
      workers += 1;
      const other = service(`worker-${workers}`, file, await freePort(), { ...ofWorker, ...extra });
      others.push(other);
      return other;
    },
    databaseUrl: async () =>
      fresh?.url ??
      (await startEmbeddedDatabase({ dataDirectory: join(home, 'postgres'), log: () => {} })).url,
    user: async ({ name, role, account }) => {
      const user = await admin.admin.users.create({
        name,
        role,
        ...(account === undefined ? {} : { account }),
      });
      const { key } = await admin.admin.keys.create({ user: user.id, label: 'test' });
      return { id: user.id, key, client: client(key) };
    },
    stop,
  };
}

/** Job accounts and the database's account must be able to reach what is theirs below it. */
function reachableDirectory(prefix: string): string {
  const directory = mkdtempSync(prefix);
  chmodSync(directory, 0o711);
  return directory;
}
