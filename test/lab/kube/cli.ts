import { DebianPackagesError } from '../../../scripts/debian-packages.ts';
import { LabError, kubeDown, kubeStatus, kubeUp } from './kube-lab.ts';
import type { KubeLab, KubeStatus } from './kube-lab.ts';

const USAGE = 'Usage: node test/lab/kube/cli.ts up | down | status';

async function main(command = ''): Promise<number> {
  const startedAt = performance.now();
  switch (command) {
    case 'up':
      print(describeLab(await kubeUp({ log: print })));
      print(`Ready after ${seconds(startedAt)} s.`);
      return 0;
    case 'down':
      await kubeDown(undefined, print);
      print(`Done after ${seconds(startedAt)} s.`);
      return 0;
    case 'status': {
      const status = await kubeStatus();
      print(describeStatus(status));
      return status.healthy ? 0 : 1;
    }
  }
  console.error(USAGE);
  return 2;
}

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

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function print(line: string): void {
  console.log(line);
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  if (!(error instanceof LabError) && !(error instanceof DebianPackagesError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
