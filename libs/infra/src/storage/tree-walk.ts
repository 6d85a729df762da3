import { isUtf8 } from 'node:buffer';
import { CONTROL_DIRECTORY } from '#core/jobs/job-request';
import { relativePath } from '#core/vocabulary/text';
import type { ConfinedDirectory, EntryType } from './confined-directory.ts';
import { isMissing, isRefused } from './file-system-error.ts';

/** How many directories may stand in one another; each that is open costs a descriptor. */
export const MAXIMUM_DEPTH = 64;

/** Entries that one walk looks at: what bounds its memory and time in a tree that an untrusted account has made. */
const MAXIMUM_ENTRIES = 100_000;

export interface TreeEntry {
  /** Relative to the run directory. */
  path: string;
  name: string;
  type: EntryType;
  /** Holds the entry; open until the next entry is asked for. */
  parent: ConfinedDirectory;
}

interface Level {
  directory: ConfinedDirectory;
  /** Path of the directory with a "/" at its end; empty for the run directory. */
  prefix: string;
  /** What is left to visit, the next one last. */
  left: { name: string; type: EntryType }[];
}

/**
 * Visits what is below a directory of a run directory: each directory's entries in order of name, each followed by its
 * own. Symlinks are not followed, the control directory is left out, and what vanishes meanwhile is skipped.
 *
 * `incomplete` tells whether anything else was left out: entries beyond the limits, directories that may not be read,
 * and names that no request could ask for (not UTF-8, control characters, backslashes, paths of over 1024 characters).
 */
export class TreeWalk {
  incomplete = false;
  readonly #deepest: number;
  #left: number;

  /** @param deepest levels to visit; 1 is the directory alone */
  constructor(deepest: number, maximumEntries: number = MAXIMUM_ENTRIES) {
    this.#deepest = deepest;
    this.#left = maximumEntries;
  }

  /** @param path of the directory, relative to the run directory; empty for the run directory itself */
  async *visit(start: ConfinedDirectory, path: string): AsyncGenerator<TreeEntry> {
    const levels = [await this.#level(start, path === '' ? '' : `${path}/`)];
    try {
      for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
        const entry = level.left.pop();
        if (entry === undefined) {
          levels.pop();
          if (level.directory !== start) await level.directory.close();
          continue;
        }
        const entryPath = `${level.prefix}${entry.name}`;
        yield { ...entry, path: entryPath, parent: level.directory };
        if (entry.type !== 'directory' || levels.length >= this.#deepest) continue;
        if (levels.length >= MAXIMUM_DEPTH) {
          this.incomplete = true;
          continue;
        }
        const entered = await this.#enter(level.directory, entry.name, `${entryPath}/`);
        if (entered !== undefined) levels.push(entered);
      }
    } finally {
      for (const { directory } of levels) if (directory !== start) await directory.close();
    }
  }

  async #enter(parent: ConfinedDirectory, name: string, prefix: string): Promise<Level | undefined> {
    let directory: ConfinedDirectory | undefined;
    try {
      directory = await parent.openDirectory(name);
      return await this.#level(directory, prefix);
    } catch (error) {
      await directory?.close();
      if (isRefused(error)) this.incomplete = true;
      else if (!isMissing(error)) throw error;
      return undefined;
    }
  }

  async #level(directory: ConfinedDirectory, prefix: string): Promise<Level> {
    const left: Level['left'] = [];
    for await (const { name: bytes, type } of directory.entries()) {
      if (this.#left === 0) {
        this.incomplete = true;
        break;
      }
      this.#left -= 1;
      const name = bytes.toString('utf8');
      if (prefix === '' && name === CONTROL_DIRECTORY) continue;
      if (isUtf8(bytes) && relativePath.safeParse(`${prefix}${name}`).success) left.push({ name, type });
      else this.incomplete = true;
    }
    left.sort((a, b) => (a.name < b.name ? 1 : -1));
    return { directory, prefix, left };
  }
}
