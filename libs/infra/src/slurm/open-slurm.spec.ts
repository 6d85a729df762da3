import { afterEach, expect, it, vi } from 'vitest';
import { parseConfiguration, workerConfigurationSchema } from '#core/configuration/configuration';
import { openSlurm } from './open-slurm.ts';

afterEach(() => vi.unstubAllEnvs());

it('does not start where commands are to run in a pod, and no Kubernetes is known', () => {
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '');
  const open = (environment: Record<string, string>) =>
    openSlurm(
      parseConfiguration(workerConfigurationSchema, { SLURM_TRANSPORT: 'exec', ...environment }),
      () => {},
    );
  expect(() => open({})).toThrow(/BRAMBLE_KUBECONFIG must be set where SLURM_TRANSPORT is "exec"/);
  expect(() => open({ BRAMBLE_KUBECONFIG: '/etc/bramble/kubeconfig' }).close()).not.toThrow();
});
