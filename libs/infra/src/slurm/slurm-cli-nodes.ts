import type { SlurmNode } from '#core/cluster/cluster';
import type { SlurmNodes } from '#core/nodes/slurm-nodes';
import { absent, type Answer, present, unknown } from '#core/vocabulary/answer';
import { describeFailure } from './command-failure.ts';
import { readSlurmConfig } from './read-slurm-config.ts';
import * as showNode from './scontrol-show-node.ts';
import { SlurmCommands, type SlurmCommandsOptions } from './slurm-commands.ts';

/** What slurmctld says of a node that it does not know. */
const NO_SUCH_NODE = /Node \S+ not found|Invalid node name/;

/** Nodes by way of Slurm's commands. To change one, the worker's account must be root or SlurmUser. */
export class SlurmCliNodes implements SlurmNodes {
  readonly #commands: SlurmCommands;

  constructor(options: SlurmCommandsOptions) {
    this.#commands = new SlurmCommands(options);
  }

  async release(): Promise<Answer<string>> {
    try {
      return present((await readSlurmConfig(this.#commands)).slurmVersion);
    } catch (error) {
      return unknown(String(error));
    }
  }

  async find(name: string): Promise<Answer<SlurmNode>> {
    const answer = await this.#scontrol('show', 'node', '--oneliner', name);
    if (answer.kind !== 'present') return answer;
    try {
      const [node] = showNode.parse(answer.value);
      return node === undefined ? absent : present(node);
    } catch (error) {
      return unknown(`Slurm's answer was not understood: ${String(error)}`);
    }
  }

  drain(name: string, reason: string): Promise<Answer<true>> {
    return this.#change('update', `NodeName=${name}`, 'State=DRAIN', `Reason=${reason}`);
  }

  down(name: string, reason: string): Promise<Answer<true>> {
    return this.#change('update', `NodeName=${name}`, 'State=DOWN', `Reason=${reason}`);
  }

  resume(name: string): Promise<Answer<true>> {
    return this.#change('update', `NodeName=${name}`, 'State=RESUME');
  }

  remove(name: string): Promise<Answer<true>> {
    return this.#change('delete', `NodeName=${name}`);
  }

  async #change(...words: string[]): Promise<Answer<true>> {
    const answer = await this.#scontrol(...words);
    return answer.kind === 'present' ? present(true) : answer;
  }

  async #scontrol(...words: string[]): Promise<Answer<string>> {
    const result = await this.#commands.ask(['scontrol', ...words]);
    if (result.kind === 'exited' && result.code === 0) return present(result.stdout);
    if (result.kind === 'exited' && NO_SUCH_NODE.test(`${result.stderr}${result.stdout}`)) return absent;
    return unknown(describeFailure('scontrol', result));
  }
}
