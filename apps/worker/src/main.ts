import { parseConfiguration, workerConfigurationSchema } from '#core/configuration/configuration';
import { useFaultWording } from '#core/vocabulary/fault-wording';
import { openKubernetes } from '#infra/kubernetes/open-kubernetes';
import { createLogger } from '#infra/observability/logger';
import { WorkerMetrics } from '#infra/observability/metrics';
import { openPlatform } from '#infra/platform/platform';
import { runUntilStopped } from '#infra/platform/process';
import { openServiceCluster } from '#infra/services/open-service-cluster';
import { openSlurm } from '#infra/slurm/open-slurm';
import { runWorker } from './run-worker.ts';

await runUntilStopped(async () => {
  useFaultWording();
  const configuration = parseConfiguration(workerConfigurationSchema, process.env);
  const logger = createLogger('bramble-worker', configuration.BRAMBLE_LOG_LEVEL);
  const metrics = new WorkerMetrics();
  const platform = await openPlatform(configuration, logger);
  const slurm = openSlurm(configuration, metrics.observeRpc);
  const stopWorker = await runWorker(
    {
      ...slurm,
      kubernetes: openKubernetes(configuration),
      services: openServiceCluster(configuration),
      ...{ platform, metrics, logger },
    },
    configuration,
  );
  return async () => {
    await stopWorker();
    slurm.close();
    await platform.close();
  };
});
