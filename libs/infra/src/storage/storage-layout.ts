import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, normalize } from 'node:path';
import { notFound } from '#core/vocabulary/problem';
import { errnoOf } from './file-system-error.ts';

/** What chown(2) leaves an owner alone for. */
const SAME_OWNER = -1;

export interface StorageOptions {
  /** Absolute path of the shared storage as this process sees it. It has to be there; what is below it is made. */
  root: string;
  /** Absolute path of the same storage as the nodes of the cluster see it; `root` where left out. */
  clusterRoot?: string | undefined;
  /**
   * Group that may read run directories and read and add artifacts, for an API process that is neither root nor the
   * account; where left out, nobody but the owner may.
   */
  groupId?: number | undefined;
}

/**
 * Where everything stands on the shared storage:
 *
 *     runs/<job id>/           a run directory, owned by the job's account
 *     runs/.staging/           run directories that are being made
 *     artifacts/sha256/ab/cd…  contents by digest
 *     artifacts/.uploads/      contents that are coming in
 *
 * The root itself is never made: a mount point that is there without its mount must not pass for empty storage.
 */
export class StorageLayout {
  readonly root: string;
  readonly clusterRoot: string;
  readonly groupId: number | undefined;

  /** @throws Error where a path cannot be used */
  constructor({ root, clusterRoot = root, groupId }: StorageOptions) {
    if (!isAbsolute(root)) throw new Error(`the storage root must be an absolute path, not "${root}"`);
    // It is written into #SBATCH lines, where white space ends a value and "%" starts a replacement.
    if (!/^\/[A-Za-z0-9_.+@:/-]*$/.test(clusterRoot)) {
      throw new Error(
        `the storage root of the nodes must be an absolute path of plain characters, not "${clusterRoot}"`,
      );
    }
    this.root = withoutTrailingSlash(root);
    this.clusterRoot = withoutTrailingSlash(clusterRoot);
    this.groupId = groupId;
  }

  get runs(): string {
    return join(this.root, 'runs');
  }

  get staging(): string {
    return join(this.runs, '.staging');
  }

  get contents(): string {
    return join(this.root, 'artifacts', 'sha256');
  }

  get uploads(): string {
    return join(this.root, 'artifacts', '.uploads');
  }

  /** @throws Problem `not_found` for what cannot be the id of a job */
  runDirectory(jobId: string): string {
    return join(this.runs, checkedJobId(jobId));
  }

  /** @throws Problem `not_found` for what cannot be the id of a job */
  clusterRunDirectory(jobId: string): string {
    return join(this.clusterRoot, 'runs', checkedJobId(jobId));
  }

  /**
   * The two names below `contents` under which a content stands.
   * @throws Problem `not_found` for what cannot be a digest
   */
  contentNames(sha256: string): [shard: string, name: string] {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw notFound('artifact content', sha256);
    return [sha256.slice(0, 2), sha256.slice(2)];
  }

  /** Permissions of a run directory and of directories in it. */
  get runDirectoryMode(): number {
    return this.groupId === undefined ? 0o700 : 0o2750;
  }

  get logMode(): number {
    return this.groupId === undefined ? 0o600 : 0o640;
  }

  get contentMode(): number {
    return this.groupId === undefined ? 0o400 : 0o440;
  }

  /**
   * Tells storage that is away from storage that lacks a file.
   * @throws Error where there are no run directories at all
   */
  async requireRuns(): Promise<void> {
    await requireDirectory(this.runs);
  }

  /**
   * Tells storage that is away from storage that lacks a content.
   * @throws Error where there are no contents at all
   */
  async requireContents(): Promise<void> {
    await requireDirectory(this.contents);
  }

  /** Makes what is missing on the storage; a process that starts calls it once. */
  async prepare(): Promise<void> {
    await this.makeRuns();
    await this.makeArtifacts();
  }

  /** Makes what is missing for run directories. Other accounts may pass through, and see nothing. */
  async makeRuns(): Promise<void> {
    await this.#make(this.runs, 0o711, undefined);
    await this.#make(this.staging, 0o700, undefined);
  }

  /** Makes what is missing for artifacts. */
  async makeArtifacts(): Promise<void> {
    await this.#makeShared(join(this.root, 'artifacts'));
    await this.#makeShared(this.contents);
    await this.#makeShared(this.uploads);
  }

  /** Makes the directory of the contents whose digests begin with `shard`, where it is missing. */
  async makeShard(shard: string): Promise<void> {
    await this.#makeShared(join(this.contents, shard));
  }

  #makeShared(path: string): Promise<void> {
    return this.#make(path, this.groupId === undefined ? 0o700 : 0o2770, this.groupId);
  }

  async #make(path: string, mode: number, groupId: number | undefined): Promise<void> {
    try {
      await mkdir(path);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return;
      throw error;
    }
    if (groupId !== undefined) await chown(path, SAME_OWNER, groupId);
    await chmod(path, mode);
  }
}

async function requireDirectory(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    throw new Error(`the shared storage has no ${basename(path)} directory; it may not be mounted`, {
      cause: error,
    });
  }
}

function checkedJobId(jobId: string): string {
  if (!/^job_[0-9a-z]{26}$/.test(jobId)) throw notFound('job', jobId);
  return jobId;
}

const withoutTrailingSlash = (path: string): string => normalize(path).replace(/(?<=.)\/+$/, '');
