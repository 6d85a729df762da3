import type { SlurmController } from '../jobs/slurm-controller.ts';
import type { NodeOperation } from '../operations/operation.ts';
import type { TrackedOperation } from '../operations/tracked-operation.ts';
import type { Clock } from '../vocabulary/clock.ts';
import type { Board, BoardFacts, BoardPatch } from './board.ts';
import type { BoardConnection } from './board-connection.ts';
import type { BoardStore } from './board-store.ts';
import { type StepContext, StepProblem } from './board-step.ts';
import type { ManagedKey } from './managed-key.ts';
import type { SignInToBoard } from './sign-in-to-board.ts';
import type { Site } from './site.ts';
import type { SlurmNodes } from './slurm-nodes.ts';

const RECONNECT_WITHIN_MS = 120_000;
const RECONNECT_PAUSE_MS = 1_000;

export interface BoardSessionPorts {
  boards: BoardStore;
  signIn: SignInToBoard;
  managedKey: () => Promise<ManagedKey>;
  clock: Clock;
  site: Site;
  slurm: { nodes: SlurmNodes; jobs: SlurmController };
}

/** What steps work with, while an operation runs: the board, the way to it, and the cluster around it. */
export class BoardSession implements StepContext {
  readonly site: Site;
  readonly slurm: StepContext['slurm'];
  readonly #ports: BoardSessionPorts;
  readonly #run: TrackedOperation<NodeOperation>;
  #board: Board | undefined;
  #boards: readonly Board[] = [];
  #facts: BoardFacts | undefined;
  #connection: BoardConnection | undefined;

  constructor(ports: BoardSessionPorts, run: TrackedOperation<NodeOperation>, board: Board | undefined) {
    this.#ports = ports;
    this.#run = run;
    this.#board = board;
    this.site = ports.site;
    this.slurm = ports.slurm;
  }

  get board(): Board {
    if (this.#board === undefined)
      throw new StepProblem(`"${this.operation.subject}" is no board of Bramble's.`);
    return this.#board;
  }

  get connection(): BoardConnection {
    if (this.#connection === undefined)
      throw new Error('a step that does without the board has asked for it');
    return this.#connection;
  }

  get facts(): BoardFacts {
    if (this.#facts === undefined) throw new Error('a step was run before the facts were read');
    return this.#facts;
  }

  get boards(): readonly Board[] {
    return this.#boards;
  }

  get operation(): NodeOperation {
    return this.#run.operation;
  }

  now(): Date {
    return this.#ports.clock.now();
  }

  signedIn(connection: BoardConnection, board: Board): void {
    this.#connection = connection;
    this.#board = board;
  }

  async knows(facts: BoardFacts | undefined): Promise<void> {
    this.#facts = facts;
    this.#boards = await this.#ports.boards.list();
  }

  say(text: string): Promise<void> {
    return this.#run.say(text);
  }

  note(name: string): string | undefined {
    return this.#run.note(name);
  }

  keepNote(name: string, value: string): Promise<void> {
    return this.#run.keepNote(name, value);
  }

  async changeBoard(patch: BoardPatch): Promise<void> {
    this.#board = await this.#ports.signIn.change(this.board, patch);
    this.#boards = await this.#ports.boards.list();
  }

  pause(ms: number): Promise<void> {
    return this.#run.pause(ms);
  }

  async reconnect({
    address,
    withinMs = RECONNECT_WITHIN_MS,
  }: { address?: string; withinMs?: number } = {}): Promise<void> {
    this.close();
    const board = { ...this.board, ...(address === undefined ? {} : { address }) };
    const deadline = this.now().getTime() + withinMs;
    for (;;) {
      try {
        this.#connection = await this.#ports.signIn.again(board);
        return;
      } catch (error) {
        if (!(error instanceof StepProblem) || !error.passing || this.now().getTime() >= deadline)
          throw error;
      }
      await this.pause(RECONNECT_PAUSE_MS);
    }
  }

  async publicKeyLine(): Promise<string> {
    return (await this.#ports.managedKey()).publicKeyLine;
  }

  signInTo(board: Board): Promise<BoardConnection> {
    return this.#ports.signIn.again(board);
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}
