import { setTimeout as sleep } from 'node:timers/promises';
import type { SlurmInventory } from '#core/cluster/cluster';
import type { WorkerConfiguration } from '#core/configuration/configuration';
import type { SlurmController } from '#core/jobs/slurm-controller';
import type { SlurmNodes } from '#core/nodes/slurm-nodes';
import { SshConnection } from '../ssh/ssh-connection.ts';
import type { CommandTransport } from './command-transport.ts';
import { LocalTransport } from './local-transport.ts';
import { SlurmCliController } from './slurm-cli-controller.ts';
import { SlurmCliInventory } from './slurm-cli-inventory.ts';
import { SlurmCliNodes } from './slurm-cli-nodes.ts';
import { SlurmUnavailable } from './slurm-unavailable.ts';
import { SshTransport } from './ssh-transport.ts';

/** Slurm, by the way that the configuration names. */
export interface Slurm {
  controller: SlurmController;
  inventory: SlurmInventory;
  nodes: SlurmNodes;
  /** How long Slurm remembers a job that has ended: `MinJobAge`. */
  forgetsAfterMs: number;
  close: () => void;
}

export interface OpenSlurmOptions {
  onRpc: (command: string, seconds: number, ok: boolean) => void;
  /** Told each time that Slurm could not be asked for its configuration. */
  onUnavailable: (error: SlurmUnavailable) => void;
}

const TRY_AGAIN_MS = 2_000;

/** Waits for Slurm to answer for as long as it takes: what is to be submitted waits in the database. */
export async function openSlurm(
  configuration: WorkerConfiguration,
  options: OpenSlurmOptions,
): Promise<Slurm> {
  const { transport, close } = openTransport(configuration);
  const commands = {
    transport,
    binDir: configuration.SLURM_BIN_DIR,
    onRpc: options.onRpc,
    ...(configuration.SLURM_CONF === undefined ? {} : { slurmConf: configuration.SLURM_CONF }),
  };
  for (;;) {
    try {
      const { controller, config } = await SlurmCliController.connect({
        ...commands,
        submitTimeoutMs: configuration.BRAMBLE_SUBMIT_TIMEOUT_MS,
      });
      return {
        controller,
        inventory: new SlurmCliInventory(commands),
        nodes: new SlurmCliNodes(commands),
        forgetsAfterMs: config.minJobAgeMs,
        close,
      };
    } catch (error) {
      if (!(error instanceof SlurmUnavailable)) throw error;
      options.onUnavailable(error);
      await sleep(TRY_AGAIN_MS);
    }
  }
}

function openTransport(configuration: WorkerConfiguration): {
  transport: CommandTransport;
  close: () => void;
} {
  const { SLURM_TRANSPORT, SLURM_SSH_HOST, SLURM_SSH_KEY_FILE, SLURM_SSH_HOST_KEY } = configuration;
  if (SLURM_TRANSPORT === 'local') return { transport: new LocalTransport(), close: () => {} };
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
