import { type Context, createContext, Script } from 'node:vm';
import picomatch from 'picomatch';

/** How long the patterns of one job may be matched, all in all, before what is left counts as not matched. */
const TIME_LIMIT_MS = 2_000;

/** How long one call may keep everything else in the process from running. */
const CALL_LIMIT_MS = 500;

const MATCH = new Script(
  'paths.filter((path) => literal.has(path) || patterns.some((pattern) => pattern.test(path)))',
);

/**
 * The globs of a job's outputs, in picomatch's syntax: `*`, `**`, `?`, `[…]`, `{a,b}` and extended globs. A leading `!`
 * is nothing special, and a pattern also matches the file that is named like it to the letter. As in a shell, names that
 * start with a dot match only where the pattern has the dot.
 *
 * Patterns and names both come from users, and there are pairs of them that take a regular expression years. Matching
 * therefore runs where V8 can interrupt it; `gaveUp` tells that it had to.
 */
export class OutputPatterns {
  gaveUp = false;
  /** Levels of directories that a match can be in: 1 for the run directory alone. */
  readonly deepest: number;
  readonly #context: Context;
  #leftMs = TIME_LIMIT_MS;

  constructor(patterns: readonly string[]) {
    this.deepest = Math.max(0, ...patterns.map(levelsOf));
    this.#context = createContext({
      literal: new Set(patterns),
      patterns: patterns.map((pattern) => picomatch.makeRe(pattern, { dot: false, nonegate: true })),
    });
  }

  /** Those of the paths that match any pattern. */
  matching(paths: readonly string[]): string[] {
    if (paths.length === 0) return [];
    if (this.#leftMs < 1) {
      this.gaveUp = true;
      return [];
    }
    const startedAt = performance.now();
    try {
      this.#context.paths = paths;
      const matched: unknown = MATCH.runInContext(this.#context, {
        timeout: Math.ceil(Math.min(this.#leftMs, CALL_LIMIT_MS)),
      });
      return matched as string[];
    } catch (error) {
      if (!isTimeout(error)) throw error;
      this.gaveUp = true;
      return [];
    } finally {
      this.#leftMs -= performance.now() - startedAt;
    }
  }
}

/** The error comes from the other context, whose `Error` is not ours. */
function isTimeout(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}

function levelsOf(pattern: string): number {
  return /\*\*|[{(]/.test(pattern) ? Infinity : pattern.split('/').length;
}
