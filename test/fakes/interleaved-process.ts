import type { SeededRandom } from './seeded-random.ts';

/** Thrown from a port in place of a process that dies there. */
export class Killed extends Error {}

/**
 * Lets asynchronous code of several processes go on one step at a time, in an order that a seed decides. A step is a
 * call of a port: nothing else of a process can be seen by the others.
 */
export class Turns {
  readonly random: SeededRandom;
  /** How likely a process is to be killed at each of its steps. */
  killProbability = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(random: SeededRandom) {
    this.random = random;
  }

  get areWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets one of those that wait take its step, and comes back when everything stands still again. */
  async next(): Promise<void> {
    const [resume] = this.#waiting.splice(this.random.between(0, this.#waiting.length - 1), 1);
    resume?.();
    await stillness();
  }
}

/** Until nothing is left to do but what waits for its turn: no port of a test does anything but take turns. */
const stillness = () => new Promise((resolve) => setImmediate(resolve));

/** One process. Once killed, it does nothing more: whatever of it still runs is stopped at its next step. */
export class InterleavedProcess {
  readonly #turns: Turns;
  #isDead = false;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** The port, of which every call is a step. */
  port<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]) => this.step(() => Reflect.apply(member, target, given) as unknown);
      },
    });
  }

  async step<T>(effect: () => T): Promise<Awaited<T>> {
    const { random } = this.#turns;
    await this.#turns.wait();
    this.#maybeDie();
    const result = await effect();
    // The answer may be on its way while others go on.
    if (random.chance(0.3)) await this.#turns.wait();
    this.#maybeDie();
    return result;
  }

  #maybeDie(): void {
    this.#isDead ||= this.#turns.random.chance(this.#turns.killProbability);
    if (this.#isDead) throw new Killed('the process was killed');
  }
}
