import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactContents } from '#core/artifacts/artifact';
import type { OpenFile } from '#core/jobs/run-files';
import { notFound, Problem } from '#core/vocabulary/problem';
import { isListed } from './absence.ts';
import { ConfinedDirectory, settle } from './confined-directory.ts';
import { errnoOf } from './file-system-error.ts';
import { RegularFile } from './regular-file.ts';
import type { StorageLayout } from './storage-layout.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** Contents by digest on the shared storage. A content is there whole or not at all, and never changes. */
export class StoredArtifactContents implements ArtifactContents {
  readonly #layout: StorageLayout;

  constructor(layout: StorageLayout) {
    this.#layout = layout;
  }

  async store(
    content: AsyncIterable<Uint8Array>,
    { maximumBytes, expectedSha256 }: { maximumBytes: number; expectedSha256?: string | undefined },
  ): Promise<{ sha256: string; size: number }> {
    const temporary = join(this.#layout.uploads, randomBytes(12).toString('hex'));
    let handle: FileHandle | undefined;
    let placed = false;
    try {
      const hash = createHash('sha256');
      let size = 0;
      // Nothing is awaited before the first read: a stream that breaks off with nobody listening ends the process.
      for await (const bytes of content) {
        size += bytes.byteLength;
        if (size > maximumBytes) throw tooLarge(maximumBytes);
        handle ??= await this.#create(temporary);
        const written = handle.writeFile(bytes);
        hash.update(bytes);
        await written;
      }
      handle ??= await this.#create(temporary);
      const received = { sha256: hash.digest('hex'), size };
      const expected = expectedSha256?.toLowerCase() ?? received.sha256;
      if (expected !== received.sha256) throw mismatch(received.sha256, expected);
      if (!(await this.#isStored(received))) {
        await settle(handle, undefined, this.#layout.contentMode);
        await this.#place(temporary, received.sha256);
        placed = true;
      }
      await this.#syncDirectories(received.sha256);
      return received;
    } finally {
      await handle?.close();
      if (!placed) await rm(temporary, { force: true });
    }
  }

  /** @throws Problem `not_found`, and only where the storage, read afresh, does not list it */
  async open(sha256: string): Promise<OpenFile> {
    const [shard, name] = this.#layout.contentNames(sha256);
    const openContent = (): Promise<FileHandle> =>
      ConfinedDirectory.within(this.#layout.contents, [shard], (directory) => directory.openFile(name));
    try {
      return await RegularFile.of(await openContent());
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    await this.#layout.requireContents();
    if (!(await isListed(this.#layout.contents, [shard, name]))) throw notFound('artifact content', sha256);
    return RegularFile.of(await openContent());
  }

  async #create(path: string): Promise<FileHandle> {
    const create = (): Promise<FileHandle> => open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      return await create();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await this.#layout.makeArtifacts();
      return create();
    }
  }

  /** A content of another size is damaged, and is replaced. */
  async #isStored({ sha256, size }: { sha256: string; size: number }): Promise<boolean> {
    try {
      return (await stat(join(this.#layout.contents, ...this.#layout.contentNames(sha256)))).size === size;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  async #place(temporary: string, sha256: string): Promise<void> {
    const [shard, name] = this.#layout.contentNames(sha256);
    await this.#layout.makeShard(shard);
    await rename(temporary, join(this.#layout.contents, shard, name));
  }

  /** Also for a content that was there: whoever has put it there may not have come this far. */
  async #syncDirectories(sha256: string): Promise<void> {
    const [shard] = this.#layout.contentNames(sha256);
    for (const names of [[shard], []]) {
      await ConfinedDirectory.within(this.#layout.contents, names, (directory) => directory.sync());
    }
  }
}

function tooLarge(maximumBytes: number): Problem {
  return new Problem('payload_too_large', `The content is larger than the limit of ${maximumBytes} bytes.`);
}

function mismatch(actual: string, expected: string): Problem {
  return new Problem(
    'digest_mismatch',
    `The content's sha256 is ${actual}, not ${expected} as announced; it was not stored.`,
  );
}
