import type { SlurmNode } from '../cluster/cluster.ts';
import type { Answer } from '../vocabulary/answer.ts';

/** What is asked of Slurm's controller about nodes, and said to it. */
export interface SlurmNodes {
  /** Release of slurmctld, such as `22.05.8`. Never absent. */
  release(): Promise<Answer<string>>;
  /** `absent` where Slurm knows no such node. */
  find(name: string): Promise<Answer<SlurmNode>>;
  /** No job starts there any more; those that run go on. */
  drain(name: string, reason: string): Promise<Answer<true>>;
  /** Ends the jobs there; Slurm puts those that may be requeued back into the queue. */
  down(name: string, reason: string): Promise<Answer<true>>;
  /** Puts a drained or down node into service again. */
  resume(name: string): Promise<Answer<true>>;
  /** Removes a dynamic node that runs nothing. */
  remove(name: string): Promise<Answer<true>>;
}
