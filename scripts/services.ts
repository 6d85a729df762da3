import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildFingerprint, CHECKOUT, type Installation } from './installation.ts';

type ServiceName = 'api' | 'worker';
const SERVICES: ServiceName[] = ['api', 'worker'];
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const PREFERRED_PORT = 8080;

interface State {
  build: string;
  ports: Record<ServiceName, number>;
  pids: Partial<Record<ServiceName, number>>;
}

export interface RunningServices {
  apiUrl: string;
  workerUrl: string;
  pids: Partial<Record<ServiceName, number>>;
}

/** Starts api and worker in the background, or leaves them as they are where they run and nothing was built since. */
export async function startServices(
  { home, logs, stateFile }: Installation,
  environment: Record<string, string>,
  log: (line: string) => void,
): Promise<RunningServices> {
  const build = buildFingerprint();
  let state = readState(stateFile);
  if (state !== undefined && state.build !== build) {
    log('Built anew since the services were started: restarting them');
    await stopServices({ stateFile });
    state = undefined;
  }
  state ??= { build, ports: { api: await freePort(PREFERRED_PORT), worker: await freePort(0) }, pids: {} };
  mkdirSync(logs, { recursive: true });
  for (const name of SERVICES) {
    if (isRunning(name, state.pids[name])) continue;
    state.pids[name] = startService(name, logs, {
      ...environment,
      BRAMBLE_HOME: home,
      BRAMBLE_PORT: String(state.ports.api),
      BRAMBLE_WORKER_PORT: String(state.ports.worker),
    });
    writeState(stateFile, state);
    log(`Started the ${name} (pid ${state.pids[name]}), log in ${join(logs, `${name}.log`)}`);
  }
  const url = (name: ServiceName) => `http://127.0.0.1:${state.ports[name]}`;
  for (const name of SERVICES)
    await waitUntilReady(name, url(name), logs, () => isRunning(name, state.pids[name]));
  return { apiUrl: url('api'), workerUrl: url('worker'), pids: state.pids };
}

/** Stops what {@link startServices} started; nothing else is touched. */
export async function stopServices({ stateFile }: Pick<Installation, 'stateFile'>): Promise<ServiceName[]> {
  const state = readState(stateFile);
  const running = SERVICES.filter((name) => isRunning(name, state?.pids[name]));
  for (const name of running) process.kill(state?.pids[name] ?? 0, 'SIGTERM');
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (SERVICES.some((name) => isRunning(name, state?.pids[name]))) {
    if (Date.now() > deadline)
      throw new Error(`not stopped within ${STOP_TIMEOUT_MS} ms: ${running.join(', ')}`);
    await sleep(50);
  }
  rmSync(stateFile, { force: true });
  return running;
}

const entryFile = (name: ServiceName) => join(CHECKOUT, 'dist', `${name}.js`);

function startService(name: ServiceName, logs: string, environment: Record<string, string>): number {
  const output = openSync(join(logs, `${name}.log`), 'a');
  const child = spawn(process.execPath, ['--enable-source-maps', entryFile(name)], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output],
    env: { PATH: process.env.PATH, ...environment },
  });
  child.unref();
  if (child.pid === undefined) throw new Error(`the ${name} could not be started`);
  return child.pid;
}

/** Whether the process is there and is ours: a pid alone may have been given to another since. */
function isRunning(name: ServiceName, pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(entryFile(name));
  } catch {
    return false;
  }
}

async function waitUntilReady(
  name: ServiceName,
  url: string,
  logs: string,
  alive: () => boolean,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const ready = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    if (!alive()) break;
    await sleep(100);
  }
  const logFile = join(logs, `${name}.log`);
  throw new Error(`the ${name} did not become ready; the end of ${logFile}:\n${tail(logFile)}`);
}

const tail = (file: string) =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-15).join('\n') : '';

async function freePort(preferred: number): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', (error) => (preferred === 0 ? reject(error) : resolve(0)));
    server.listen(preferred, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  if (port === 0) return freePort(0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function readState(file: string): State | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as State) : undefined;
}

function writeState(file: string, state: State): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}
