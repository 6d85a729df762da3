import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Exec, KubeConfig, type V1Status } from '@kubernetes/client-node';
import { LabError } from '../lab-error.ts';
import type { LabContainer } from './kubelet.ts';

/**
 * Runs a command in a container, as `kubectl exec` does.
 *
 * @returns what it printed.
 * @throws LabError where it fails.
 */
export async function execInPod(
  kubeconfig: string,
  { namespace, pod, container }: LabContainer,
  argv: string[],
): Promise<string> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const [printed, complained] = [new PassThrough(), new PassThrough()];
  const written = Promise.all([text(printed), text(complained)]);
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(namespace, pod, container, argv, printed, complained, null, false, resolve)
      .catch(reject);
  });
  const [stdout, stderr] = await written;
  if (status.status !== 'Success')
    throw new LabError(`${argv.join(' ')} in ${pod}: ${status.message ?? ''} ${stderr}`);
  return stdout;
}
