import type { Reason } from '../jobs/job.ts';
import type { NextLook } from '../jobs/work-on-job.ts';
import type { Clock } from '../vocabulary/clock.ts';
import type { Board } from './board.ts';
import type { BoardConnection, BoardConnector } from './board-connection.ts';
import type { BoardStore } from './board-store.ts';
import { type BoardStep, type StepContext, StepProblem } from './board-step.ts';
import type { ManagedKey } from './managed-key.ts';
import { isOver, type Operation, type OperationPatch, type StepProgress } from './operation.ts';
import { readFacts } from './read-facts.ts';
import type { SecretBox } from './secret-box.ts';
import { SIGN_IN_STEP, SignInToBoard } from './sign-in-to-board.ts';
import { FACTS_STEP, refuseTwin } from './twin.ts';

export interface RunOperationPorts {
  boards: BoardStore;
  connector: BoardConnector;
  secrets: SecretBox;
  managedKey: () => Promise<ManagedKey>;
  clock: Clock;
  steps: readonly BoardStep[];
  /** DNS domain of the cluster, such as `home.lab`. */
  domain: string;
}

const RETRY_MS = 10_000;
/** How long an operation waits for a board that is away, or for what may pass by itself. */
const PATIENCE_MS = 5 * 60_000;

const CANCELLED = { code: 'Cancelled', message: 'Cancelled; what was applied until then stays.' };

/** Steps of an operation on a board, before anything is done. */
export function stepsFor(board: Pick<Board, 'roles'>, steps: readonly BoardStep[]): StepProgress[] {
  return [SIGN_IN_STEP, FACTS_STEP, ...stepsOf(board, steps)].map(({ name, title }) => ({
    name,
    title,
    state: 'waiting',
    detail: null,
    startedAt: null,
    endedAt: null,
  }));
}

const stepsOf = ({ roles }: Pick<Board, 'roles'>, steps: readonly BoardStep[]): BoardStep[] =>
  steps.filter((step) => step.roles === null || step.roles.some((role) => roles.includes(role)));

/**
 * Makes a board what it is to be, step by step. It may be interrupted anywhere and run again: a run begins with the
 * first step and asks the board of each what there is to do; what is right already costs a question.
 */
export class RunOperation {
  readonly #ports: RunOperationPorts;
  readonly #signIn: SignInToBoard;

  constructor(ports: RunOperationPorts) {
    this.#ports = ports;
    this.#signIn = new SignInToBoard(ports);
  }

  async run(operationId: string): Promise<NextLook> {
    const { boards, clock } = this.#ports;
    const operation = await boards.findOperation(operationId);
    if (operation === undefined || isOver(operation.state)) return undefined;
    const board = await boards.find(operation.boardId);
    if (board === undefined) return undefined;
    if (operation.cancelRequestedAt !== null) {
      await this.#change(operation, {
        state: 'cancelled',
        reason: CANCELLED,
        endedAt: clock.now(),
        lookAt: null,
      });
      return undefined;
    }
    const started = await this.#change(operation, {
      state: 'running',
      startedAt: operation.startedAt ?? clock.now(),
      reason: null,
      steps: stepsFor(board, this.#ports.steps),
    });
    if (started === undefined) return { afterMs: 0 };
    return new Run(this.#ports, this.#signIn, started, board).toItsEnd();
  }

  #change(operation: Operation, patch: OperationPatch): Promise<Operation | undefined> {
    return this.#ports.boards.changeOperation(operation, patch);
  }
}

/** Somebody else has changed the operation: another worker is at it, or it is to be cancelled. */
class Overtaken extends Error {}

/** One attempt at an operation. */
class Run {
  readonly #ports: RunOperationPorts;
  readonly #signIn: SignInToBoard;
  #operation: Operation;
  #board: Board;
  #connection: BoardConnection | undefined;

  constructor(ports: RunOperationPorts, signIn: SignInToBoard, operation: Operation, board: Board) {
    this.#ports = ports;
    this.#signIn = signIn;
    this.#operation = operation;
    this.#board = board;
  }

  async toItsEnd(): Promise<NextLook> {
    try {
      await this.#steps();
      await this.#end('done', null);
      return undefined;
    } catch (error) {
      if (error instanceof Overtaken) return await this.#overtaken();
      if (!(error instanceof StepProblem)) throw error;
      return await this.#problem(error);
    } finally {
      this.#connection?.close();
    }
  }

  async #steps(): Promise<void> {
    const { boards, clock } = this.#ports;
    const connection = await this.#step(SIGN_IN_STEP.name, async () => {
      const { connection, board, detail, changed } = await this.#signIn.run(this.#board);
      this.#connection = connection;
      this.#board = board;
      return { state: changed ? 'applied' : 'unchanged', detail, value: connection };
    });
    const facts = await this.#step(FACTS_STEP.name, async () => {
      const read = await readFacts(connection, () => clock.now().getTime());
      refuseTwin(this.#board, read, await boards.list());
      this.#board = (await boards.change(this.#board, { facts: read, factsAt: clock.now() })) ?? this.#board;
      return { state: 'unchanged', detail: `${read.model ?? read.architecture}, ${read.os}`, value: read };
    });
    const { domain } = this.#ports;
    const context: StepContext = {
      board: this.#board,
      connection,
      facts,
      boards: await boards.list(),
      domain,
    };
    for (const step of stepsOf(this.#board, this.#ports.steps))
      await this.#step(step.name, () => this.#reconcile(step, context));
  }

  async #reconcile(
    step: BoardStep,
    context: StepContext,
  ): Promise<{ state: StepProgress['state']; detail: string; value: undefined }> {
    const finding = await step.check(context);
    if (finding.kind === 'right') return { state: 'unchanged', detail: finding.detail, value: undefined };
    if (this.#operation.kind === 'check')
      return { state: 'differs', detail: finding.detail, value: undefined };
    await this.#progress(step.name, { state: 'applying', detail: finding.detail });
    const detail = await step.apply(context);
    const after = await step.check(context);
    if (after.kind === 'differs')
      throw new StepProblem(`It was applied, and is still not right: ${after.detail}`);
    return { state: 'applied', detail, value: undefined };
  }

  async #step<T>(
    name: string,
    work: () => Promise<{ state: StepProgress['state']; detail: string; value: T }>,
  ): Promise<T> {
    const { clock } = this.#ports;
    await this.#progress(name, { state: 'checking', startedAt: clock.now() });
    try {
      const { state, detail, value } = await work();
      await this.#progress(name, { state, detail, endedAt: clock.now() });
      return value;
    } catch (error) {
      if (error instanceof StepProblem)
        await this.#progress(name, { state: 'failed', detail: error.message, endedAt: clock.now() });
      throw error;
    }
  }

  async #progress(name: string, progress: Partial<StepProgress>): Promise<void> {
    const steps = this.#operation.steps.map((step) => (step.name === name ? { ...step, ...progress } : step));
    await this.#change({ steps });
  }

  async #problem(problem: StepProblem): Promise<NextLook> {
    const { clock } = this.#ports;
    const since = this.#operation.startedAt ?? this.#operation.createdAt;
    if (problem.passing && clock.now().getTime() - since.getTime() < PATIENCE_MS) {
      await this.#change({ reason: { code: 'TriedAgain', message: problem.message } });
      return { afterMs: RETRY_MS };
    }
    const failed = this.#operation.steps.find(({ state }) => state === 'failed');
    await this.#end('failed', { code: failed?.name ?? 'failed', message: problem.message });
    return undefined;
  }

  async #overtaken(): Promise<NextLook> {
    const current = await this.#ports.boards.findOperation(this.#operation.id);
    if (current === undefined || current.cancelRequestedAt === null || isOver(current.state))
      return undefined;
    this.#operation = current;
    await this.#end('cancelled', CANCELLED);
    return undefined;
  }

  async #end(state: Operation['state'], reason: Reason | null): Promise<void> {
    await this.#change({ state, reason, endedAt: this.#ports.clock.now(), lookAt: null });
  }

  async #change(patch: OperationPatch): Promise<void> {
    const changed = await this.#ports.boards.changeOperation(this.#operation, patch);
    if (changed === undefined) throw new Overtaken();
    this.#operation = changed;
  }
}
