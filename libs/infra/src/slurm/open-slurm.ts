import type { SlurmInventory } from '#core/cluster/cluster';
import { ConfigurationError, type WorkerConfiguration } from '#core/configuration/configuration';
import type { SlurmController } from '#core/jobs/slurm-controller';
import type { SlurmNodes } from '#core/nodes/slurm-nodes';
import { findKubernetes } from '../kubernetes/kubernetes-access.ts';
import { SshConnection } from '../ssh/ssh-connection.ts';
import type { CommandTransport } from './command-transport.ts';
import { ExecTransport } from './exec-transport.ts';
import { LocalTransport } from './local-transport.ts';
import { SlurmCliController } from './slurm-cli-controller.ts';
import { SlurmCliInventory } from './slurm-cli-inventory.ts';
import { SlurmCliNodes } from './slurm-cli-nodes.ts';
import { SshTransport } from './ssh-transport.ts';

/** Slurm, by the way that the configuration names. */
export interface Slurm {
  controller: SlurmController;
  inventory: SlurmInventory;
  nodes: SlurmNodes;
  close: () => void;
}

/**
 * Slurm need not be there: it is asked when something is wanted of it.
 * @throws ConfigurationError where commands are to run in a pod, and there is no Kubernetes
 * @param onRpc told of every command: its name, how long it took, and whether it ended with exit code 0
 */
export function openSlurm(
  configuration: WorkerConfiguration,
  onRpc: (command: string, seconds: number, ok: boolean) => void,
): Slurm {
  const { transport, close } = openTransport(configuration);
  const commands = {
    transport,
    onRpc,
    binDir: configuration.SLURM_BIN_DIR,
    ...(configuration.SLURM_CONF === undefined ? {} : { slurmConf: configuration.SLURM_CONF }),
  };
  return {
    controller: new SlurmCliController({
      ...commands,
      submitTimeoutMs: configuration.BRAMBLE_SUBMIT_TIMEOUT_MS,
    }),
    inventory: new SlurmCliInventory(commands),
    nodes: new SlurmCliNodes(commands),
    close,
  };
}

function openTransport(configuration: WorkerConfiguration): {
  transport: CommandTransport;
  close: () => void;
} {
  const { SLURM_TRANSPORT, SLURM_SSH_HOST, SLURM_SSH_KEY_FILE, SLURM_SSH_HOST_KEY } = configuration;
  if (SLURM_TRANSPORT === 'local') return { transport: new LocalTransport(), close: () => {} };
  if (SLURM_TRANSPORT === 'exec') return { transport: openExecTransport(configuration), close: () => {} };
  if (SLURM_SSH_HOST === undefined || SLURM_SSH_KEY_FILE === undefined || SLURM_SSH_HOST_KEY === undefined) {
    throw new Error('the configuration was not checked');
  }
  const connection = new SshConnection({
    host: SLURM_SSH_HOST,
    port: configuration.SLURM_SSH_PORT,
    user: configuration.SLURM_SSH_USER,
    privateKey: { file: SLURM_SSH_KEY_FILE },
    hostKeySha256: SLURM_SSH_HOST_KEY,
  });
  return {
    transport: new SshTransport({ connection, become: configuration.SLURM_SSH_BECOME }),
    close: () => connection.close(),
  };
}

function openExecTransport(configuration: WorkerConfiguration): ExecTransport {
  const access = findKubernetes(configuration.BRAMBLE_KUBECONFIG, process.env);
  if (access === undefined) {
    throw new ConfigurationError([
      'BRAMBLE_KUBECONFIG must be set where SLURM_TRANSPORT is "exec", unless this is a pod with a service account',
    ]);
  }
  const { SLURM_EXEC_NAMESPACE, SLURM_EXEC_POD, SLURM_EXEC_SELECTOR, SLURM_EXEC_CONTAINER } = configuration;
  return new ExecTransport({
    access,
    timeoutMs: configuration.BRAMBLE_KUBERNETES_TIMEOUT_MS,
    namespace: SLURM_EXEC_NAMESPACE,
    selector: SLURM_EXEC_SELECTOR,
    container: SLURM_EXEC_CONTAINER,
    ...(SLURM_EXEC_POD === undefined ? {} : { pod: SLURM_EXEC_POD }),
  });
}
