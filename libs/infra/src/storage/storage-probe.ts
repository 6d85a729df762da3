import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { type Answer, present, unknown } from '#core/vocabulary/answer';
import { describeFailure, errnoOf } from './file-system-error.ts';
import type { StorageLayout } from './storage-layout.ts';

const TIME_LIMIT_MS = 2_000;

/**
 * Whether the shared storage is there and can be written to. A mount whose server is away answers nothing, and every
 * call that waits for it holds a thread of the process: at most one is ever under way, and later probes wait for the
 * same one.
 */
export class StorageProbe {
  readonly #check: () => Promise<void>;
  readonly #timeLimitMs: number;
  #underWay: Promise<Answer<true>> | undefined;

  constructor(check: () => Promise<void>, timeLimitMs: number = TIME_LIMIT_MS) {
    this.#check = check;
    this.#timeLimitMs = timeLimitMs;
  }

  static of(layout: StorageLayout, timeLimitMs?: number): StorageProbe {
    return new StorageProbe(() => checkWritable(layout), timeLimitMs);
  }

  /** Never `absent`. */
  async probe(): Promise<Answer<true>> {
    this.#underWay ??= this.#ask();
    const { promise: timeout, resolve } = Promise.withResolvers<Answer<true>>();
    const timer = setTimeout(
      () => resolve(unknown(`the shared storage gave no answer within ${this.#timeLimitMs} ms`)),
      this.#timeLimitMs,
    );
    try {
      return await Promise.race([this.#underWay, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(): Promise<Answer<true>> {
    try {
      await this.#check();
      return present(true);
    } catch (error) {
      return unknown(`the shared storage cannot be written to: ${describeFailure(error)}`);
    } finally {
      this.#underWay = undefined;
    }
  }
}

/** An API process may not write to the root itself, but always to the uploads; before the first one there are none. */
async function checkWritable({ root, uploads }: StorageLayout): Promise<void> {
  const mode = constants.R_OK | constants.W_OK | constants.X_OK;
  try {
    await access(uploads, mode);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await access(root, mode);
  }
}
