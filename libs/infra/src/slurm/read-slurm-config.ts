import { describeFailure } from './command-failure.ts';
import * as showConfig from './scontrol-show-config.ts';
import type { SlurmCommands } from './slurm-commands.ts';
import { SlurmUnavailable } from './slurm-unavailable.ts';

/** @throws SlurmUnavailable where Slurm cannot be asked, or its configuration is not understood */
export async function readSlurmConfig(commands: SlurmCommands): Promise<showConfig.SlurmConfig> {
  const result = await commands.ask(showConfig.command());
  // scontrol exits with code 0 although it could not ask: then there is no output.
  if (result.kind !== 'exited' || result.code !== 0 || result.stdout === '') {
    throw new SlurmUnavailable(
      `Slurm's configuration could not be read: ${describeFailure('scontrol show config', result)}`,
    );
  }
  try {
    return showConfig.parse(result.stdout);
  } catch (cause) {
    throw new SlurmUnavailable(`Slurm's configuration was not understood: ${String(cause)}`, { cause });
  }
}
