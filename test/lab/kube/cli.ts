import { runLabCommand } from '../lab-command.ts';
import { kubeDown, kubeStatus, kubeUp } from './kube-lab.ts';
import type { KubeLab, KubeStatus } from './kube-lab.ts';

await runLabCommand({
  usage: 'Usage: node test/lab/kube/cli.ts up | down | status',
  up: async (_, log) => describeLab(await kubeUp({ log })),
  down: (log) => kubeDown(undefined, log),
  status: async () => {
    const status = await kubeStatus();
    return { text: describeStatus(status), healthy: status.healthy };
  },
});

function describeLab({ url, kubeconfig, binaries }: KubeLab): string {
  return `\n  API server   ${url}\n  Helm         KUBECONFIG=${kubeconfig} ${binaries.helm} list\n`;
}

function describeStatus({ dir, exists, healthy, url, daemons, nodes }: KubeStatus): string {
  if (!exists) return `There is no Kubernetes in ${dir}.`;
  const readiness = (ready: boolean | undefined): string =>
    ready === undefined ? 'unknown: the API server does not answer' : ready ? 'ready' : 'NOT ready';
  return [
    `The Kubernetes in ${dir} is ${healthy ? 'healthy' : 'NOT healthy; lab:kube heals it'}: ${url ?? ''}`,
    ...daemons.map(
      ({ name, pid }) => `  ${name.padEnd(24)} ${pid === undefined ? 'does not run' : `pid ${pid}`}`,
    ),
    ...nodes.map(({ name, ready }) => `  ${name.padEnd(24)} ${readiness(ready)}`),
  ].join('\n');
}
