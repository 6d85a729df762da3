import type { BoardCommand, BoardConnection, BoardConnector } from '#core/nodes/board-connection';
import { SIGN_IN_STEP } from '#core/nodes/sign-in-to-board';
import type { MemoryBoardStore } from '../../fakes/memory-board-store.ts';
import type { StepsOnBoards } from './board-steps.ts';

/** The worker is dead. No step catches it. */
export class Killed extends Error {}

/** What asks again and again how far long work has come is one command, however often it is asked. */
const asksAgain = ({ argv }: BoardCommand): boolean =>
  argv.some((word) => word.includes('--property=ExecMainStatus'));

const CHANGES_IN_SLURM = new Set<string | symbol>(['submit', 'cancel', 'drain', 'down', 'resume', 'remove']);

type SlurmPorts = StepsOnBoards['slurm'];

/**
 * Signs in to boards for workers that die: each one after a command of a step that applies something after which none has
 * died yet, until the step gets through, then likewise in the steps behind it. A step may go another way after a death,
 * so that a command is known by its words, and not by its number. What it has done on the board stays done.
 */
export class KillingConnector implements BoardConnector {
  /** Name of the step at each death. */
  readonly kills: string[] = [];
  /** Whether workers die. */
  armed = true;
  readonly #inner: BoardConnector;
  readonly #store: () => MemoryBoardStore;
  readonly #diedAfter = new Set<string>();
  /** How often this worker has run each command of a step. */
  #times = new Map<string, number>();

  constructor(inner: BoardConnector, store: () => MemoryBoardStore) {
    this.#inner = inner;
    this.#store = store;
  }

  connect: BoardConnector['connect'] = async (target, options) => {
    this.#times = new Map();
    const outcome = await this.#inner.connect(target, options);
    if (outcome.kind !== 'connected') return outcome;
    return { kind: 'connected', connection: this.#mortal(outcome.connection) };
  };

  #mortal(connection: BoardConnection): BoardConnection {
    return {
      hostKeySha256: connection.hostKeySha256,
      close: () => connection.close(),
      run: async (command) => {
        const end = await connection.run(command);
        if (this.armed) await this.#diesAfter(JSON.stringify(command.argv), asksAgain(command));
        return end;
      },
    };
  }

  /** Slurm, to which what changes something is a command as well. */
  mortalSlurm({ nodes, jobs }: SlurmPorts): SlurmPorts {
    return { nodes: this.#mortalPort(nodes), jobs: this.#mortalPort(jobs) };
  }

  #mortalPort<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return async (...values: unknown[]): Promise<unknown> => {
          const answer: unknown = await Reflect.apply(value, target, values);
          if (this.armed && CHANGES_IN_SLURM.has(key)) await this.#diesAfter(String(key));
          return answer;
        };
      },
    });
  }

  async #diesAfter(command: string, isOnceForAll = false): Promise<void> {
    const step = await this.#stepThatApplies();
    if (step === undefined) return;
    const words = `${step} ${command}`;
    const times = isOnceForAll ? 1 : (this.#times.get(words) ?? 0) + 1;
    this.#times.set(words, times);
    const death = `${words} ${times}`;
    if (this.#diedAfter.has(death)) return;
    this.#diedAfter.add(death);
    this.kills.push(step);
    throw new Killed(death);
  }

  async #stepThatApplies(): Promise<string | undefined> {
    const store = this.#store();
    for (const { name } of await store.list()) {
      const [operation] = await store.operationsOf('node', name, 1);
      const current = operation?.steps.find(
        ({ name: step, state }) =>
          state === 'applying' || (state === 'checking' && step === SIGN_IN_STEP.name),
      );
      if (current !== undefined) return current.name;
    }
    return undefined;
  }
}
