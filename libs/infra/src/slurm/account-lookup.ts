import type { Answer } from '#core/vocabulary/answer';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import * as getentPasswd from './getent-passwd.ts';
import { QUESTION_TIMEOUT_MS, type SlurmCommands } from './slurm-commands.ts';

const KEPT_FOR_MS = 30_000;

/** Looks up Unix accounts where Slurm's commands run. Accounts that are there are remembered for 30 s. */
export class AccountLookup {
  readonly #commands: SlurmCommands;
  readonly #known = new Map<string, { answer: Promise<Answer<UnixAccount>>; until: number }>();

  constructor(commands: SlurmCommands) {
    this.#commands = commands;
  }

  async find(name: string): Promise<Answer<UnixAccount>> {
    const now = performance.now();
    for (const [key, { until }] of this.#known) if (until <= now) this.#known.delete(key);
    const known = this.#known.get(name);
    if (known !== undefined) return known.answer;
    const entry = { answer: this.#ask(name), until: now + KEPT_FOR_MS };
    this.#known.set(name, entry);
    const forget = () => {
      if (this.#known.get(name) === entry) this.#known.delete(name);
    };
    try {
      const answer = await entry.answer;
      if (answer.kind !== 'present') forget();
      return answer;
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #ask(name: string): Promise<Answer<UnixAccount>> {
    const result = await this.#commands.run('getent', getentPasswd.command(name), {
      timeoutMs: QUESTION_TIMEOUT_MS,
    });
    return getentPasswd.parse(result, name);
  }
}
