import type { NextLook } from '../jobs/work-on-job.ts';
import type { Clock } from '../vocabulary/clock.ts';
import { isOver, type Operation, type OperationPatch, type StepProgress } from './operation.ts';
import type { OperationStore } from './operation-store.ts';
import { StepProblem, StepWaits } from './step-problem.ts';

export interface TrackedOperationPorts {
  operations: OperationStore;
  clock: Clock;
  /** Ends early, without an error, where the signal is aborted. */
  pause: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** How a step has ended, or how far it is. */
export interface StepEnd {
  state: StepProgress['state'];
  detail: string;
}

const RETRY_MS = 10_000;
/** How long a step is tried again where what is in its way may pass by itself. */
const PATIENCE_MS = 5 * 60_000;
/** How long a wait goes on before it looks whether the operation is to be cancelled. */
const LOOK_UP_MS = 2_000;

const CANCELLED = { code: 'Cancelled', message: 'Cancelled; what was applied until then stays.' };

/** Somebody else has changed the operation: another worker is at it, or it is to be cancelled. */
class Overtaken extends Error {}

/** Where the first failure of a step is noted, until the step succeeds. */
const failingSince = (step: string): string => `failing-since:${step}`;

/**
 * One attempt at an operation: its steps are told as they go, and every change is a compare-and-set, so that a worker
 * that was overtaken stops before it does anything more.
 */
export class TrackedOperation<One extends Operation> {
  readonly #ports: TrackedOperationPorts;
  #operation: One;
  #step = '';

  private constructor(ports: TrackedOperationPorts, operation: One) {
    this.#ports = ports;
    this.#operation = operation;
  }

  /**
   * @param steps those of this attempt, before anything is done
   * @returns undefined where there is nothing to do, because it is to be cancelled, or `again` where somebody else came first
   */
  static async begin<One extends Operation>(
    ports: TrackedOperationPorts,
    operation: One,
    steps: StepProgress[],
  ): Promise<TrackedOperation<One> | 'again' | undefined> {
    const { operations, clock } = ports;
    if (operation.cancelRequestedAt !== null) {
      await operations.changeOperation(operation, {
        state: 'cancelled',
        reason: CANCELLED,
        endedAt: clock.now(),
        lookAt: null,
      });
      return undefined;
    }
    const started = await operations.changeOperation(operation, {
      state: 'running',
      startedAt: operation.startedAt ?? clock.now(),
      reason: null,
      steps,
    });
    return started === undefined ? 'again' : new TrackedOperation(ports, started);
  }

  /** As it is stored now. */
  get operation(): One {
    return this.#operation;
  }

  /** Name of the step that is being done. */
  get step(): string {
    return this.#step;
  }

  /** Does the work, and tells how it has ended: done, failed, cancelled, or to be looked at again. */
  async toItsEnd(work: () => Promise<void>): Promise<NextLook> {
    try {
      await work();
      await this.#end('done', null);
      return undefined;
    } catch (error) {
      if (error instanceof Overtaken) return await this.#overtaken();
      if (error instanceof StepWaits) return await this.#waits(error);
      if (!(error instanceof StepProblem)) throw error;
      return await this.#problem(error);
    }
  }

  note(name: string): string | undefined {
    return this.#operation.notes[name];
  }

  /** Keeps something for the next run. */
  async keepNote(name: string, value: string): Promise<void> {
    await this.#change({ notes: { ...this.#operation.notes, [name]: value } });
  }

  /** Shows text to those who watch, and keeps it with the step. */
  async say(text: string): Promise<void> {
    await this.#ports.operations.say(this.#operation.id, this.#step, text);
  }

  /** @throws an error that ends the run where the operation is not this run's any more */
  async mustGoOn(): Promise<void> {
    const current = await this.#ports.operations.findOperation(this.#operation.id);
    if (current?.version !== this.#operation.version) throw new Overtaken();
  }

  /** Waits; ends early, with an error that no step catches, where the operation is to be cancelled. */
  async pause(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= LOOK_UP_MS) {
      await this.#ports.pause(Math.min(left, LOOK_UP_MS));
      await this.mustGoOn();
    }
  }

  /**
   * Does what takes long, and ends it by its signal where the operation is to be cancelled.
   * @throws an error that no step catches where it was
   */
  async unlessCancelled<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const stopped = new AbortController();
    const ended = new AbortController();
    const watching = this.#mustGoOnUntil(ended.signal).catch((error: unknown) => {
      stopped.abort();
      throw error;
    });
    // It is awaited once the work has ended, and may fail before.
    watching.catch(() => {});
    try {
      return await work(stopped.signal);
    } finally {
      ended.abort();
      await watching;
    }
  }

  async #mustGoOnUntil(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#ports.pause(LOOK_UP_MS, signal);
      if (signal.aborted) return;
      await this.mustGoOn();
    }
  }

  /** Does one step, and tells how it goes. */
  async progressOf(name: string, work: () => Promise<StepEnd>): Promise<void> {
    const { clock } = this.#ports;
    this.#step = name;
    await this.progress(name, { state: 'checking', startedAt: clock.now() });
    try {
      const { state, detail } = await work();
      const { [failingSince(name)]: failed, ...notes } = this.#operation.notes;
      await this.progress(
        name,
        { state, detail, endedAt: clock.now() },
        failed === undefined ? {} : { notes },
      );
    } catch (error) {
      if (error instanceof StepProblem)
        await this.progress(name, { state: 'failed', detail: error.message, endedAt: clock.now() });
      throw error;
    }
  }

  async progress(name: string, progress: Partial<StepProgress>, patch: OperationPatch = {}): Promise<void> {
    const steps = this.#operation.steps.map((step) => (step.name === name ? { ...step, ...progress } : step));
    await this.#change({ steps, ...patch });
  }

  async #waits({ message }: StepWaits): Promise<NextLook> {
    await this.#change({ reason: { code: 'Waiting', message } });
    return { afterMs: RETRY_MS };
  }

  async #problem(problem: StepProblem): Promise<NextLook> {
    const now = this.#ports.clock.now();
    const note = failingSince(this.#step);
    const since = this.note(note) ?? now.toISOString();
    if (problem.passing && now.getTime() - Date.parse(since) < PATIENCE_MS) {
      const notes = { ...this.#operation.notes, [note]: since };
      await this.#change({ notes, reason: { code: 'TriedAgain', message: problem.message } });
      return { afterMs: RETRY_MS };
    }
    const failed = this.#operation.steps.find(({ state }) => state === 'failed');
    await this.#end('failed', { code: failed?.name ?? 'failed', message: problem.message });
    return undefined;
  }

  async #overtaken(): Promise<NextLook> {
    const current = await this.#ports.operations.findOperation(this.#operation.id);
    if (current === undefined || current.cancelRequestedAt === null || isOver(current.state))
      return undefined;
    // Only what an operation is about says of which kind it is, and that never changes.
    this.#operation = current as One;
    await this.#end('cancelled', CANCELLED);
    return undefined;
  }

  async #end(state: Operation['state'], reason: Operation['reason']): Promise<void> {
    await this.#change({ state, reason, endedAt: this.#ports.clock.now(), lookAt: null });
  }

  async #change(patch: OperationPatch): Promise<void> {
    const changed = await this.#ports.operations.changeOperation(this.#operation, patch);
    if (changed === undefined) throw new Overtaken();
    this.#operation = changed;
  }
}
