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
 * Signs in to boards for workers that die: the first one after the first command of a step that applies something, the
 * next one after the second, and so on until the step gets through, then likewise in the steps behind it. What a command
 * has done on the board stays done.
 */
export class KillingConnector implements BoardConnector {
  /** Each death as the step and the number of its command, such as `time 2`. */
  readonly kills: string[] = [];
  /** Whether workers die. */
  armed = true;
  readonly #inner: BoardConnector;
  readonly #store: () => MemoryBoardStore;
  #worker = { step: '', commands: 0, asked: false };

  constructor(inner: BoardConnector, store: () => MemoryBoardStore) {
    this.#inner = inner;
    this.#store = store;
  }

  connect: BoardConnector['connect'] = async (target, options) => {
    this.#worker = { step: '', commands: 0, asked: false };
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
        if (this.armed) await this.#count(command);
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
          if (this.armed && CHANGES_IN_SLURM.has(key)) await this.#count();
          return answer;
        };
      },
    });
  }

  async #count(command?: BoardCommand): Promise<void> {
    const step = await this.#stepThatApplies();
    if (step === undefined) return;
    if (step !== this.#worker.step) this.#worker = { step, commands: 0, asked: false };
    const again = command !== undefined && asksAgain(command);
    if (again && this.#worker.asked) return;
    this.#worker.asked ||= again;
    this.#worker.commands += 1;
    const kill = `${step} ${this.#worker.commands}`;
    if (this.kills.includes(kill)) return;
    this.kills.push(kill);
    throw new Killed(kill);
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
