import { ConfinedDirectory } from './confined-directory.ts';
import { errnoOf } from './file-system-error.ts';

/** Entries that are looked through before giving up: a directory of an untrusted account may hold any number. */
const MAXIMUM_ENTRIES = 100_000;

/**
 * Whether a path below `base` is there, where opening it has said `ENOENT`: the directory that lacks a name on the way
 * is opened and read afresh. An NFS client answers `ENOENT` from its cache for up to a minute; opening a directory makes
 * it ask whether its cache still holds.
 *
 * @throws the file system's error where a directory cannot be read; Error where one is too large to be read through
 */
export async function isListed(base: string, names: readonly string[]): Promise<boolean> {
  let directory = await ConfinedDirectory.open(base);
  try {
    for (const name of names.slice(0, -1)) {
      const parent = directory;
      try {
        directory = await parent.openDirectory(name);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
        return await lists(parent, Buffer.from(name));
      }
      await parent.close();
    }
    return await lists(directory, Buffer.from(names.at(-1) ?? ''));
  } finally {
    await directory.close();
  }
}

async function lists(directory: ConfinedDirectory, name: Buffer): Promise<boolean> {
  let seen = 0;
  for await (const entry of directory.entries()) {
    if (entry.name.equals(name)) return true;
    seen += 1;
    if (seen > MAXIMUM_ENTRIES) throw new Error(`a directory has more than ${MAXIMUM_ENTRIES} entries`);
  }
  return false;
}
