import type { SlurmNode } from '#core/cluster/cluster';
import type { SlurmNodes } from '#core/nodes/slurm-nodes';
import { absent, type Answer, present } from '#core/vocabulary/answer';
import { ScriptedSlurm } from './scripted-slurm.ts';

/** Slurm's nodes as a test has put them there. */
export class ScriptedSlurmNodes implements SlurmNodes {
  releaseAnswer: Answer<string> = present('22.05.8');
  readonly nodes = new Map<string, SlurmNode>();
  readonly jobs = new ScriptedSlurm();

  get ports(): { nodes: SlurmNodes; jobs: ScriptedSlurm } {
    return { nodes: this, jobs: this.jobs };
  }

  put(name: string, fields: Partial<SlurmNode> = {}): void {
    this.nodes.set(name, {
      ...{ name, address: name, state: 'idle', flags: [], reason: null, partitions: ['all'], features: [] },
      ...{ cpus: 4, cpusAllocated: 0, memoryMebibytes: 3600, memoryAllocatedMebibytes: 0 },
      ...{ architecture: 'aarch64', operatingSystem: 'Linux', slurmVersion: '22.05.8', bootedAt: null },
      ...fields,
    });
  }

  async release(): Promise<Answer<string>> {
    return this.releaseAnswer;
  }

  async find(name: string): Promise<Answer<SlurmNode>> {
    const node = this.nodes.get(name);
    return node === undefined ? absent : present(node);
  }

  async drain(name: string, reason: string): Promise<Answer<true>> {
    return this.#change(name, { flags: [...this.#flags(name), 'drain'], reason });
  }

  async down(name: string, reason: string): Promise<Answer<true>> {
    return this.#change(name, { state: 'down', cpusAllocated: 0, reason });
  }

  async resume(name: string): Promise<Answer<true>> {
    return this.#change(name, { flags: this.#flags(name), reason: null });
  }

  async remove(name: string): Promise<Answer<true>> {
    return this.nodes.delete(name) ? present(true) : absent;
  }

  /** Those of a node in service. */
  #flags(name: string): string[] {
    return (this.nodes.get(name)?.flags ?? []).filter((flag) => flag === 'dynamic_norm');
  }

  #change(name: string, fields: Partial<SlurmNode>): Answer<true> {
    const node = this.nodes.get(name);
    if (node === undefined) return absent;
    this.nodes.set(name, { ...node, ...fields });
    return present(true);
  }
}
