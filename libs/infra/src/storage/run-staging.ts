import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactContents } from '#core/artifacts/artifact';
import type { StagedFile } from '#core/jobs/run-directory';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import { Problem } from '#core/vocabulary/problem';
import { ConfinedDirectory, type Owner, settle } from './confined-directory.ts';
import { errnoOf } from './file-system-error.ts';
import { inParallel } from './in-parallel.ts';
import { planStaging } from './staging-plan.ts';
import type { StorageLayout } from './storage-layout.ts';

/** Files of one job that are written at once: their waits for the disk overlap. */
const WRITTEN_AT_ONCE = 8;

/**
 * Makes run directories. Each is built where only we can reach it, given to its account, put on the disk and then
 * renamed into place: whoever is killed, and whenever, a run directory is there whole or not at all.
 */
export class RunStaging {
  readonly #layout: StorageLayout;
  readonly #contents: ArtifactContents;

  constructor(layout: StorageLayout, contents: ArtifactContents) {
    this.#layout = layout;
    this.#contents = contents;
  }

  /** @throws Problem `not_found`, `digest_mismatch`, `invalid_request`: it would be the same at any later time */
  async stage(jobId: string, files: readonly StagedFile[], account: UnixAccount): Promise<void> {
    const target = this.#layout.runDirectory(jobId);
    const plan = planStaging(files, this.#layout.logMode);
    if (!(await exists(target))) {
      const temporary = await this.#makeTemporary(jobId);
      try {
        const owner = this.#ownerFor(account);
        await this.#build(temporary, plan, owner);
        await publish(temporary, target);
      } finally {
        // What cannot be removed now is left to sweepStaging.
        await rm(temporary, { recursive: true, force: true }).catch(() => {});
      }
    }
    await ConfinedDirectory.within(this.#layout.runs, [], (runs) => runs.sync());
  }

  async #makeTemporary(jobId: string): Promise<string> {
    const path = join(this.#layout.staging, `${jobId}.${randomBytes(6).toString('hex')}`);
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await this.#layout.makeRuns();
      await mkdir(path, { mode: 0o700 });
    }
    return path;
  }

  /** Undefined where what we make has the right owner already. */
  #ownerFor(account: UnixAccount): Owner | undefined {
    const { groupId } = this.#layout;
    if (groupId === undefined && process.geteuid?.() === account.uid) return undefined;
    return { uid: account.uid, gid: groupId ?? account.gid };
  }

  async #build(
    path: string,
    { directories, files }: ReturnType<typeof planStaging>,
    owner: Owner | undefined,
  ): Promise<void> {
    for (const directory of directories) await mkdir(join(path, directory), { mode: 0o700 });
    await inParallel(WRITTEN_AT_ONCE, files, (file) => this.#write(path, file, owner));
    await inParallel(WRITTEN_AT_ONCE, ['', ...directories], (directory) =>
      ConfinedDirectory.within(join(path, directory), [], (made) =>
        made.settle(owner, this.#layout.runDirectoryMode),
      ),
    );
  }

  async #write(
    directory: string,
    { path, mode, source }: StagedFile,
    owner: Owner | undefined,
  ): Promise<void> {
    const parts = path.split('/');
    const handle = await ConfinedDirectory.within(directory, parts.slice(0, -1), (parent) =>
      parent.createFile(parts.at(-1) ?? ''),
    );
    try {
      if ('text' in source) await handle.writeFile(source.text);
      else await this.#copyContent(path, source.sha256, (bytes) => handle.writeFile(bytes));
      await settle(handle, owner, mode);
    } finally {
      await handle.close();
    }
  }

  async #copyContent(
    path: string,
    sha256: string,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const content = await this.#open(path, sha256);
    try {
      const hash = createHash('sha256');
      for await (const bytes of content.read()) {
        const written = write(bytes);
        hash.update(bytes);
        await written;
      }
      const actual = hash.digest('hex');
      if (actual !== sha256) {
        throw new Problem(
          'digest_mismatch',
          `The stored content of "${path}" is damaged: its sha256 is ${actual}, not ${sha256}; upload the file again.`,
        );
      }
    } finally {
      await content.close();
    }
  }

  async #open(path: string, sha256: string): ReturnType<ArtifactContents['open']> {
    try {
      return await this.#contents.open(sha256);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
      throw new Problem('not_found', `The content of "${path}" (sha256 ${sha256}) is not stored any more.`, {
        cause: error,
      });
    }
  }
}

/** Renames into place. Where the run directory is there by now, another worker has made it, and it stands. */
async function publish(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target);
  } catch (error) {
    // Besides ENOTEMPTY: NFS may answer a rename that was sent twice with the second one's ENOENT.
    if (!(await exists(target))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
