import type { ClusterSnapshot, SlurmInventory } from '#core/cluster/cluster';
import { describeFailure } from './command-failure.ts';
import { readSlurmConfig } from './read-slurm-config.ts';
import * as showNode from './scontrol-show-node.ts';
import * as showPartition from './scontrol-show-partition.ts';
import { SlurmCommands, type SlurmCommandsOptions } from './slurm-commands.ts';
import { SlurmUnavailable } from './slurm-unavailable.ts';
import * as squeueCounts from './squeue-counts.ts';

/** Nodes, partitions and the number of jobs: four questions, however large the cluster. */
export class SlurmCliInventory implements SlurmInventory {
  readonly #commands: SlurmCommands;

  constructor(options: SlurmCommandsOptions) {
    this.#commands = new SlurmCommands(options);
  }

  /** @throws SlurmUnavailable where any of the questions was not answered */
  async snapshot(): Promise<ClusterSnapshot> {
    const config = await readSlurmConfig(this.#commands);
    const nodes = await this.#ask(showNode);
    const partitions = await this.#ask(showPartition);
    const { pending, running } = await this.#ask(squeueCounts);
    return {
      name: config.clusterName,
      slurmVersion: config.slurmVersion,
      nodes,
      partitions,
      jobsPending: pending,
      jobsRunning: running,
    };
  }

  async #ask<T>(question: {
    command: () => [string, ...string[]];
    parse: (stdout: string) => T;
  }): Promise<T> {
    const argv = question.command();
    const result = await this.#commands.ask(argv);
    if (result.kind !== 'exited' || result.code !== 0) {
      throw new SlurmUnavailable(`Slurm could not be asked: ${describeFailure(argv[0], result)}`);
    }
    try {
      return question.parse(result.stdout);
    } catch (cause) {
      throw new SlurmUnavailable(`Slurm's answer was not understood: ${String(cause)}`, { cause });
    }
  }
}
