import type { NextLook } from '../jobs/work-on-job.ts';
import type { SlurmController } from '../jobs/slurm-controller.ts';
import { isOver, type NodeOperation } from '../operations/operation.ts';
import { type StepEnd, TrackedOperation } from '../operations/tracked-operation.ts';
import type { Clock } from '../vocabulary/clock.ts';
import type { Board } from './board.ts';
import type { BoardConnector } from './board-connection.ts';
import { BoardSession } from './board-session.ts';
import type { BoardStore } from './board-store.ts';
import { type BoardStep, StepProblem } from './board-step.ts';
import { refuseUnknownSystem } from './known-system.ts';
import type { ManagedKey } from './managed-key.ts';
import { probeBoard, type Seen } from './probe-board.ts';
import { needsBoard, type Procedures, stepsOf, stepsFor } from './procedures.ts';
import { readFacts } from './read-facts.ts';
import type { SecretBox } from './secret-box.ts';
import { SIGN_IN_STEP, SignInToBoard } from './sign-in-to-board.ts';
import type { Site } from './site.ts';
import { KEY_REMOVED } from './steps/life/forget-key-step.ts';
import type { SlurmNodes } from './slurm-nodes.ts';
import { FACTS_STEP, refuseStranger, refuseTwin } from './twin.ts';

export interface RunOperationPorts {
  boards: BoardStore;
  connector: BoardConnector;
  secrets: SecretBox;
  managedKey: () => Promise<ManagedKey>;
  clock: Clock;
  procedures: Procedures;
  site: Site;
  slurm: { nodes: SlurmNodes; jobs: SlurmController };
  pause: (ms: number) => Promise<void>;
}

/** Whether the board is only looked at. */
const onlyLooks = ({ kind }: NodeOperation): boolean => kind === 'check' || kind === 'plan';

/**
 * Works on a node, step by step. It may be interrupted anywhere and run again: a run begins with the first step and
 * asks the board of each what there is to do; what is right already costs a question.
 */
export class RunOperation {
  readonly #ports: RunOperationPorts;
  readonly #signIn: SignInToBoard;

  constructor(ports: RunOperationPorts) {
    this.#ports = ports;
    this.#signIn = new SignInToBoard(ports);
  }

  async run(operationId: string): Promise<NextLook> {
    const { boards, procedures } = this.#ports;
    const operation = await boards.findOperation(operationId);
    if (operation?.about !== 'node' || isOver(operation.state)) return undefined;
    const board = operation.boardId === null ? undefined : await boards.find(operation.boardId);
    const tracked = await TrackedOperation.begin(
      { ...this.#ports, operations: boards },
      operation,
      stepsFor(operation, board, procedures),
    );
    if (tracked === undefined) return undefined;
    if (tracked === 'again') return { afterMs: 0 };
    return new Run(this.#ports, this.#signIn, tracked, board).toItsEnd();
  }
}

/** One attempt at an operation. */
class Run {
  readonly #ports: RunOperationPorts;
  readonly #signIn: SignInToBoard;
  readonly #session: BoardSession;
  readonly #seen = new Map<string, Seen>();
  readonly #tracked: TrackedOperation<NodeOperation>;
  readonly #board: Board | undefined;

  constructor(
    ports: RunOperationPorts,
    signIn: SignInToBoard,
    tracked: TrackedOperation<NodeOperation>,
    board: Board | undefined,
  ) {
    this.#ports = ports;
    this.#signIn = signIn;
    this.#tracked = tracked;
    this.#board = board;
    this.#session = new BoardSession({ ...ports, signIn }, tracked, board);
  }

  async toItsEnd(): Promise<NextLook> {
    try {
      return await this.#tracked.toItsEnd(async () => {
        await this.#steps();
        const { id, kind } = this.#tracked.operation;
        if (kind === 'decommission' && this.#board !== undefined)
          await this.#ports.boards.remove(this.#board.id, { during: id });
      });
    } finally {
      this.#session.close();
    }
  }

  async #steps(): Promise<void> {
    const { procedures } = this.#ports;
    if (this.#tracked.operation.kind === 'decommission' && this.#tracked.operation.boardId === null) return;
    const isMet = await this.#isMet();
    if (!isMet) await this.#session.knows(undefined);
    const steps = stepsOf(this.#tracked.operation, this.#board, procedures).filter(
      ({ withoutBoard = false }) => isMet || withoutBoard,
    );
    for (const [index, step] of steps.entries())
      await this.#tracked.progressOf(step.name, () => this.#reconcile(step, steps.slice(index)));
  }

  /** A forced decommissioning does without a board that lets nobody in. */
  async #isMet(): Promise<boolean> {
    if (this.#board === undefined || !needsBoard(this.#tracked.operation)) return false;
    const { kind, parameters } = this.#tracked.operation;
    try {
      return await this.#meet(this.#board);
    } catch (error) {
      if (error instanceof StepProblem && kind === 'decommission' && parameters.force) return false;
      throw error;
    }
  }

  /**
   * Signs in, and finds out what the board is.
   * @returns false where the key was removed in the course of this operation, so that nobody signs in any more
   */
  async #meet(stored: Board): Promise<boolean> {
    if (this.#tracked.note(KEY_REMOVED) !== undefined && !(await this.#signIn.isLetIn(stored))) return false;
    const { boards, clock } = this.#ports;
    const isPlan = this.#tracked.operation.kind === 'plan';
    await this.#tracked.progressOf(SIGN_IN_STEP.name, async () => {
      const { connection, board, detail, changed } = isPlan
        ? await this.#signIn.look(stored)
        : await this.#signIn.run(stored);
      this.#session.signedIn(connection, board);
      return { state: changed ? (isPlan ? 'differs' : 'applied') : 'unchanged', detail };
    });
    await this.#tracked.progressOf(FACTS_STEP.name, async () => {
      const facts = await readFacts(this.#session.connection, () => clock.now().getTime());
      refuseUnknownSystem(facts);
      refuseStranger(this.#session.board, facts);
      refuseTwin(this.#session.board, facts, await boards.list());
      if (!isPlan) await this.#session.changeBoard({ facts, factsAt: clock.now() });
      await this.#session.knows(facts);
      return { state: 'unchanged', detail: `${facts.model ?? facts.architecture}, ${facts.os}` };
    });
    return true;
  }

  async #reconcile(step: BoardStep, ahead: readonly BoardStep[]): Promise<StepEnd> {
    const seen = await this.#look(step, ahead);
    const finding = await step.check(seen, this.#session);
    if (finding.kind === 'right') return { state: 'unchanged', detail: finding.detail };
    if (onlyLooks(this.#tracked.operation)) return { state: 'differs', detail: finding.detail };
    await this.#tracked.progress(step.name, { state: 'applying', detail: finding.detail });
    // What was seen before may be so no more.
    this.#seen.clear();
    const detail = await step.apply(this.#session, seen);
    const after = await step.check(await this.#look(step, ahead), this.#session);
    if (after.kind === 'differs')
      throw new StepProblem(`It was applied, and is still not right: ${after.detail}`);
    return { state: 'applied', detail };
  }

  /** What a step's probe sees, asked together with the probes of the steps after it. */
  async #look(step: BoardStep, ahead: readonly BoardStep[]): Promise<string> {
    if (step.probe === undefined) return '';
    if (!this.#seen.has(step.name)) {
      const asked = ahead.flatMap((one) =>
        one.probe === undefined ? [] : [{ name: one.name, probe: one.probe(this.#session) }],
      );
      const answers = await probeBoard(
        this.#session.connection,
        asked.map(({ probe }) => probe),
      );
      for (const [index, { name }] of asked.entries()) {
        const answer = answers[index];
        if (answer !== undefined) this.#seen.set(name, answer);
      }
    }
    const seen = this.#seen.get(step.name);
    if (seen === undefined) throw new Error(`the probe of "${step.name}" was not answered`);
    if (seen.kind === 'failed') throw seen.problem;
    return seen.text;
  }
}
