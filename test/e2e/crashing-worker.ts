import { appendFileSync } from 'node:fs';
import { parseConfiguration, workerConfigurationSchema } from '#core/configuration/configuration';
import { createLogger } from '#infra/observability/logger';
import { WorkerMetrics } from '#infra/observability/metrics';
import { openPlatform } from '#infra/platform/platform';
import { runUntilStopped } from '#infra/platform/process';
import { openSlurm } from '#infra/slurm/open-slurm';
import { runWorker } from '#worker/run-worker';

// A worker as it is built, except that it writes down every call of a port and kills itself (SIGKILL) after the one whose
// number CRASH_AFTER says; 0: when it takes up work, before any call. Calls that come by the clock are left out, or the same number would be
// another call in each run.
const crashAfter = Number(process.env.CRASH_AFTER ?? '-1');
const callsFile = process.env.CALLS_FILE ?? '/dev/null';
let calls = 0;

const BY_THE_CLOCK = new Set<string | symbol>([
  'putOff',
  'clusterPath',
  'takeDue',
  'followed',
  'list',
  'account',
  'settings',
]);

function crashing<T extends object>(port: string, target: T): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== 'function') return value;
      if (BY_THE_CLOCK.has(key)) return value.bind(object) as unknown;
      return async (...values: unknown[]): Promise<unknown> => {
        if (crashAfter === 0) die();
        calls += 1;
        const call = calls;
        appendFileSync(callsFile, `${call} ${port}.${String(key)}\n`);
        const answer: unknown = await Reflect.apply(value, object, values);
        if (call === crashAfter) die();
        return answer;
      };
    },
  });
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

await runUntilStopped(async () => {
  const configuration = parseConfiguration(workerConfigurationSchema, process.env);
  const logger = createLogger('crashing-worker', configuration.BRAMBLE_LOG_LEVEL);
  const metrics = new WorkerMetrics();
  const opened = await openPlatform(configuration, logger);
  const slurm = openSlurm(configuration, metrics.observeRpc);
  const platform = {
    ...opened,
    jobs: crashing('jobs', opened.jobs),
    artifacts: crashing('artifacts', opened.artifacts),
    storage: { ...opened.storage, runs: crashing('runs', opened.storage.runs) },
  };
  const controller = crashing('slurm', slurm.controller);
  const stop = await runWorker(
    { ...slurm, controller, services: null, platform, metrics, logger },
    configuration,
  );
  return async () => {
    await stop();
    slurm.close();
    await opened.close();
  };
});
