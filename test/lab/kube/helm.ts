import { join } from 'node:path';
import { runCommand } from '../boards/command.ts';
import type { CommandResult } from '../slurm-client.ts';

/** Helm itself waits for five minutes. */
const TIMEOUT_MS = 400_000;

/** Nothing of the user's own Helm is seen or changed. */
export function runHelm(
  helm: string,
  directory: string,
  kubeconfig: string,
  commandArguments: readonly string[],
): Promise<CommandResult> {
  const environment = [
    `KUBECONFIG=${kubeconfig}`,
    `HELM_CACHE_HOME=${join(directory, 'cache')}`,
    `HELM_CONFIG_HOME=${join(directory, 'configuration')}`,
    `HELM_DATA_HOME=${join(directory, 'data')}`,
    'GOGC=off',
  ];
  return runCommand(['env', ...environment, helm, ...commandArguments], { timeoutMs: TIMEOUT_MS });
}
