import type { Reason } from '../jobs/job.ts';
import type { NextLook } from '../jobs/work-on-job.ts';
import type { SlurmController } from '../jobs/slurm-controller.ts';
import type { Clock } from '../vocabulary/clock.ts';
import type { Board } from './board.ts';
import type { BoardConnector } from './board-connection.ts';
import { BoardSession, type SessionRun } from './board-session.ts';
import type { BoardStore } from './board-store.ts';
import { type BoardStep, StepProblem, StepWaits } from './board-step.ts';
import { refuseUnknownSystem } from './known-system.ts';
import type { ManagedKey } from './managed-key.ts';
import { isOver, type Operation, type OperationPatch, type StepProgress } from './operation.ts';
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

const RETRY_MS = 10_000;
/** How long an operation waits for a board that is away, or for what may pass by itself. */
const PATIENCE_MS = 5 * 60_000;

const CANCELLED = { code: 'Cancelled', message: 'Cancelled; what was applied until then stays.' };

/** Whether the board is only looked at. */
const onlyLooks = ({ kind }: Operation): boolean => kind === 'check' || kind === 'plan';

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
    const { boards, clock, procedures } = this.#ports;
    const operation = await boards.findOperation(operationId);
    if (operation === undefined || isOver(operation.state)) return undefined;
    const board = operation.boardId === null ? undefined : await boards.find(operation.boardId);
    if (operation.cancelRequestedAt !== null) {
      await boards.changeOperation(operation, {
        state: 'cancelled',
        reason: CANCELLED,
        endedAt: clock.now(),
        lookAt: null,
      });
      return undefined;
    }
    const started = await boards.changeOperation(operation, {
      state: 'running',
      startedAt: operation.startedAt ?? clock.now(),
      reason: null,
      steps: stepsFor(operation, board, procedures),
    });
    if (started === undefined) return { afterMs: 0 };
    return new Run(this.#ports, this.#signIn, started, board).toItsEnd();
  }
}

/** Somebody else has changed the operation: another worker is at it, or it is to be cancelled. */
class Overtaken extends Error {}

/** One attempt at an operation. */
class Run implements SessionRun {
  readonly #ports: RunOperationPorts;
  readonly #signIn: SignInToBoard;
  readonly #session: BoardSession;
  readonly #seen = new Map<string, Seen>();
  #operation: Operation;
  #board: Board | undefined;
  #step = '';

  constructor(
    ports: RunOperationPorts,
    signIn: SignInToBoard,
    operation: Operation,
    board: Board | undefined,
  ) {
    this.#ports = ports;
    this.#signIn = signIn;
    this.#operation = operation;
    this.#board = board;
    this.#session = new BoardSession({ ...ports, signIn }, this, board);
  }

  get operation(): Operation {
    return this.#operation;
  }

  get step(): string {
    return this.#step;
  }

  async toItsEnd(): Promise<NextLook> {
    try {
      await this.#steps();
      if (this.#operation.kind === 'decommission' && this.#board !== undefined)
        await this.#ports.boards.remove(this.#board.id, { during: this.#operation.id });
      await this.#end('done', null);
      return undefined;
    } catch (error) {
      if (error instanceof Overtaken) return await this.#overtaken();
      if (error instanceof StepWaits) return await this.#waits(error);
      if (!(error instanceof StepProblem)) throw error;
      return await this.#problem(error);
    } finally {
      this.#session.close();
    }
  }

  async keepNote(name: string, value: string): Promise<void> {
    await this.#change({ notes: { ...this.#operation.notes, [name]: value } });
  }

  async mustGoOn(): Promise<void> {
    const current = await this.#ports.boards.findOperation(this.#operation.id);
    if (current?.version !== this.#operation.version) throw new Overtaken();
  }

  async #steps(): Promise<void> {
    const { procedures } = this.#ports;
    if (this.#operation.kind === 'decommission' && this.#operation.boardId === null) return;
    const isMet = await this.#isMet();
    if (!isMet) await this.#session.knows(undefined);
    const steps = stepsOf(this.#operation, this.#board, procedures).filter(
      ({ withoutBoard = false }) => isMet || withoutBoard,
    );
    for (const [index, step] of steps.entries())
      await this.#progressOf(step.name, () => this.#reconcile(step, steps.slice(index)));
  }

  /** A forced decommissioning does without a board that lets nobody in. */
  async #isMet(): Promise<boolean> {
    if (this.#board === undefined || !needsBoard(this.#operation)) return false;
    const { kind, parameters } = this.#operation;
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
    if (this.#operation.notes[KEY_REMOVED] !== undefined && !(await this.#signIn.isLetIn(stored)))
      return false;
    const { boards, clock } = this.#ports;
    const isPlan = this.#operation.kind === 'plan';
    await this.#progressOf(SIGN_IN_STEP.name, async () => {
      const { connection, board, detail, changed } = isPlan
        ? await this.#signIn.look(stored)
        : await this.#signIn.run(stored);
      this.#session.signedIn(connection, board);
      return { state: changed ? (isPlan ? 'differs' : 'applied') : 'unchanged', detail };
    });
    await this.#progressOf(FACTS_STEP.name, async () => {
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

  async #reconcile(
    step: BoardStep,
    ahead: readonly BoardStep[],
  ): Promise<{ state: StepProgress['state']; detail: string }> {
    const seen = await this.#look(step, ahead);
    const finding = await step.check(seen, this.#session);
    if (finding.kind === 'right') return { state: 'unchanged', detail: finding.detail };
    if (onlyLooks(this.#operation)) return { state: 'differs', detail: finding.detail };
    await this.#progress(step.name, { state: 'applying', detail: finding.detail });
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

  async #progressOf(
    name: string,
    work: () => Promise<{ state: StepProgress['state']; detail: string }>,
  ): Promise<void> {
    const { clock } = this.#ports;
    this.#step = name;
    await this.#progress(name, { state: 'checking', startedAt: clock.now() });
    try {
      const { state, detail } = await work();
      await this.#progress(name, { state, detail, endedAt: clock.now() });
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

  async #waits({ message }: StepWaits): Promise<NextLook> {
    await this.#change({ reason: { code: 'Waiting', message } });
    return { afterMs: RETRY_MS };
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
