import { constants, type Dirent, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, opendir } from 'node:fs/promises';
import { errnoOf } from './file-system-error.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Names of a directory that are fetched at once: what bounds the memory of listing a huge one. */
const NAMES_AT_ONCE = 256;

export type EntryType = 'file' | 'directory' | 'symlink' | 'other';

export interface DirectoryEntry {
  /** As the file system has it: any bytes but `/` and NUL. */
  name: Buffer;
  /** As it was when the directory was read; only opening the entry makes sure. */
  type: EntryType;
}

/** A symlink, a directory, a FIFO, a socket or a device stands where a regular file was asked for. */
export class NotARegularFileError extends Error {
  constructor(name: string) {
    super(`"${name}" is not a regular file`);
    this.name = 'NotARegularFileError';
  }
}

/**
 * An open directory whose contents somebody else may change at any moment, and the one way into it.
 *
 * Entries are reached through the descriptor (`/proc/self/fd/N/name`), one name at a time, and a symlink is never
 * followed: whatever is renamed or replaced meanwhile, no call reaches anything outside the directory. This is what
 * `openat(2)` with `O_NOFOLLOW` does, which Node has no call for. Linux only; who opens a directory closes it.
 */
export class ConfinedDirectory {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * Opens a directory at a path that is trusted up to its last name, then goes down `names` one by one.
   * @throws the file system's error: `ENOTDIR` or `ELOOP` for a symlink, `ENOENT` for what is not there
   */
  static async open(path: string, names: readonly string[] = []): Promise<ConfinedDirectory> {
    let directory = new ConfinedDirectory(await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    for (const name of names) {
      const parent = directory;
      try {
        directory = await parent.openDirectory(name);
      } finally {
        await parent.close();
      }
    }
    return directory;
  }

  /** Opens a directory as {@link open} does, for as long as `use` runs. */
  static async within<T>(
    path: string,
    names: readonly string[],
    use: (directory: ConfinedDirectory) => Promise<T>,
  ): Promise<T> {
    const directory = await ConfinedDirectory.open(path, names);
    try {
      return await use(directory);
    } finally {
      await directory.close();
    }
  }

  async openDirectory(name: string): Promise<ConfinedDirectory> {
    return ConfinedDirectory.open(this.#at(name));
  }

  /**
   * Opens a regular file for reading. Neither a FIFO nor a device makes it wait.
   * @throws NotARegularFileError, or the file system's error
   */
  async openFile(name: string): Promise<FileHandle> {
    const handle = await this.#openForReading(name);
    try {
      if ((await handle.stat()).isFile()) return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    throw new NotARegularFileError(name);
  }

  /** Makes a directory that only its owner may use, and opens it. */
  async createDirectory(name: string): Promise<ConfinedDirectory> {
    await mkdir(this.#at(name), { mode: 0o700 });
    return this.openDirectory(name);
  }

  /**
   * Makes a file that only its owner may use, and opens it for writing.
   * @throws the file system's error, `EEXIST` where anything stands there already
   */
  async createFile(name: string): Promise<FileHandle> {
    return open(this.#at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  }

  /** What stands at the name, symlinks not followed. */
  async lstat(name: string): Promise<Stats> {
    return lstat(this.#at(name));
  }

  /** The entries without `.` and `..`, in no order, read afresh and a few at a time. */
  async *entries(): AsyncGenerator<DirectoryEntry> {
    // Names come as bytes, which opendir's types do not know of: they are read from Dirents of strings.
    const encoding = 'buffer' as string as BufferEncoding;
    for await (const entry of await opendir(this.#self(), { encoding, bufferSize: NAMES_AT_ONCE })) {
      yield { name: Buffer.from(entry.name), type: typeOf(entry) };
    }
  }

  /** Owner, where given, and permissions, whatever the umask, put on the disk with the directory's entries. */
  async settle(owner: Owner | undefined, mode: number): Promise<void> {
    await settle(this.#handle, owner, mode);
  }

  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #openForReading(name: string): Promise<FileHandle> {
    try {
      return await open(this.#at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    } catch (error) {
      const errno = errnoOf(error);
      // What open(2) says of a symlink with O_NOFOLLOW, and of a socket or a device without a driver.
      if (errno === 'ELOOP' || errno === 'ENXIO' || errno === 'ENODEV') throw new NotARegularFileError(name);
      throw error;
    }
  }

  #self(): string {
    return `/proc/self/fd/${this.#handle.fd}`;
  }

  #at(name: string): string {
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
      throw new Error(`${JSON.stringify(name)} is not the name of a directory entry`);
    }
    return `${this.#self()}/${name}`;
  }
}

/** Whom a file is given to. */
export interface Owner {
  uid: number;
  gid: number;
}

/** Gives the open file its owner, where one is given, and exactly these permissions, and puts it on the disk. */
export async function settle(handle: FileHandle, owner: Owner | undefined, mode: number): Promise<void> {
  // A change of owner clears set-id bits: the mode comes second.
  if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
  await handle.chmod(mode);
  await handle.sync();
}

function typeOf(entry: Dirent): EntryType {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : 'other';
}
