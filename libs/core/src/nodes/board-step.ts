import type { SlurmController } from '../jobs/slurm-controller.ts';
import type { NodeOperation } from '../operations/operation.ts';
import type { Board, BoardFacts, BoardPatch, BoardRole } from './board.ts';
import type { BoardConnection } from './board-connection.ts';

import type { Site } from './site.ts';
import type { SlurmNodes } from './slurm-nodes.ts';

export { StepProblem, StepWaits } from '../operations/step-problem.ts';

/** What a step has to go by, and what it may do beside running commands. */
export interface StepContext {
  /** As it is stored now. */
  readonly board: Board;
  /** The way to the board; another one after {@link reconnect}. */
  readonly connection: BoardConnection;
  readonly facts: BoardFacts;
  /** All boards of the cluster, this one among them. */
  readonly boards: readonly Board[];
  readonly site: Site;
  readonly operation: Pick<NodeOperation, 'id' | 'subject' | 'kind' | 'parameters'>;
  readonly slurm: { nodes: SlurmNodes; jobs: SlurmController };
  now(): Date;
  /** Shows text to those who watch, and keeps it with the step. */
  say(text: string): Promise<void>;
  /** What {@link keepNote} kept for this operation, by a run before this one too. */
  note(name: string): string | undefined;
  /** Keeps something that the board itself cannot tell, such as its boot id before a reboot. */
  keepNote(name: string, value: string): Promise<void>;
  changeBoard(patch: BoardPatch): Promise<void>;
  /**
   * Waits. Ends early, with an error that no step catches, where the operation is to be cancelled.
   */
  pause(ms: number): Promise<void>;
  /**
   * Closes the connection and signs in anew, trying again until it works.
   * @param options.address where the board is to be found, when not at the stored address
   * @param options.withinMs how long to try; default 120,000
   * @throws StepProblem, passing, where nobody lets Bramble in
   */
  reconnect(options?: { address?: string; withinMs?: number }): Promise<void>;
  /** The managed key's line of `authorized_keys`. */
  publicKeyLine(): Promise<string>;
  /**
   * Signs in to another enrolled board, with the managed key. To be closed by the caller.
   * @throws StepProblem
   */
  signInTo(board: Board): Promise<BoardConnection>;
}

/**
 * A question to the board: shell lines for `sh`, run as root, whose output tells {@link BoardStep.check} what there is.
 * They change nothing, and succeed on a board that is bare: what is missing is told, no error.
 */
export interface Probe {
  script: string;
  /** `$1`, `$2` … of the script. Values never become part of the script itself. */
  args?: readonly string[];
}

/** Whether the board is as the step wants it. */
export type StepFinding = { kind: 'right'; detail: string } | { kind: 'differs'; detail: string };

export const right = (detail: string): StepFinding => ({ kind: 'right', detail });
export const differs = (detail: string): StepFinding => ({ kind: 'differs', detail });

/**
 * One thing that has to be so on a board. All functions may be run at any time and any number of times: what there is
 * to do is found out from the board, never from what was done before.
 */
export interface BoardStep {
  name: string;
  /** What the step sees to, in words. */
  title: string;
  /** Roles of boards that it is for; null for every board. */
  roles: readonly BoardRole[] | null;
  /** Whether it has to do with Slurm alone, and needs neither a connection nor facts. Default: no. */
  withoutBoard?: true;
  /** What to ask the board. The probes of all steps go to the board at once: a way there and back is what costs. */
  probe?(context: StepContext): Probe;
  /**
   * @param seen what the probe wrote; empty where there is no probe
   * @throws StepProblem where it cannot be found out
   */
  check(seen: string, context: StepContext): StepFinding | Promise<StepFinding>;
  /**
   * @returns what was done, in words
   * @throws StepProblem
   */
  apply(context: StepContext, seen: string): Promise<string>;
}
