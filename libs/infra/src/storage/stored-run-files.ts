import type { Stats } from 'node:fs';
import type { LogStream } from '#core/jobs/run-directory';
import { CONTROL_DIRECTORY } from '#core/jobs/job-request';
import type { OpenFile, RunFile, RunFiles } from '#core/jobs/run-files';
import { notFound, Problem } from '#core/vocabulary/problem';
import { relativePath } from '#core/vocabulary/text';
import { ConfinedDirectory, NotARegularFileError } from './confined-directory.ts';
import { isMissing, isRefused } from './file-system-error.ts';
import { modificationTime } from './modification-time.ts';
import { RegularFile } from './regular-file.ts';
import { RunLogs } from './run-logs.ts';
import type { StorageLayout } from './storage-layout.ts';
import { TreeWalk } from './tree-walk.ts';

/**
 * Run directories on the shared storage as readers see them. Besides the port's problems, `forbidden` where a file's
 * permissions keep us out, and the file system's error where the storage cannot be read.
 */
export class StoredRunFiles implements RunFiles {
  readonly #layout: StorageLayout;
  readonly #logs: RunLogs;

  constructor(layout: StorageLayout) {
    this.#layout = layout;
    this.#logs = new RunLogs(layout);
  }

  /**
   * `truncated` also where entries were left out that no request could ask for, or that may not be read.
   * @param directory relative to the run directory; empty for the run directory itself
   */
  async list(
    jobId: string,
    directory: string,
    { recursive, limit }: { recursive: boolean; limit: number },
  ): Promise<{ files: RunFile[]; truncated: boolean }> {
    const runDirectory = this.#layout.runDirectory(jobId);
    const names = directory === '' ? [] : namesOf('directory', directory);
    return this.#reading('directory', directory, () =>
      ConfinedDirectory.within(runDirectory, names, async (start) => {
        const walk = new TreeWalk(recursive ? Infinity : 1);
        const files: RunFile[] = [];
        for await (const { path, name, parent } of walk.visit(start, directory)) {
          if (files.length === limit) return { files, truncated: true };
          const stats = await lstatIfThere(parent, name);
          if (stats !== undefined) files.push(toRunFile(path, stats));
        }
        return { files, truncated: walk.incomplete };
      }),
    );
  }

  async open(jobId: string, path: string): Promise<OpenFile> {
    const runDirectory = this.#layout.runDirectory(jobId);
    const names = namesOf('file', path);
    const handle = await this.#reading('file', path, () =>
      ConfinedDirectory.within(runDirectory, names.slice(0, -1), (directory) =>
        directory.openFile(names.at(-1) ?? ''),
      ),
    );
    return RegularFile.of(handle);
  }

  readLog(jobId: string, stream: LogStream, offset: number, maximumBytes: number): Promise<Uint8Array> {
    return this.#logs.read(jobId, stream, offset, maximumBytes);
  }

  logSize(jobId: string, stream: LogStream): Promise<number> {
    return this.#logs.size(jobId, stream);
  }

  async #reading<T>(what: 'file' | 'directory', path: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (isMissing(error)) {
        await this.#layout.requireRuns();
        throw notFound(what, path);
      }
      if (isRefused(error)) {
        throw new Problem('forbidden', `The permissions of "${path}" do not let this service read it.`, {
          cause: error,
        });
      }
      if (error instanceof NotARegularFileError) {
        throw new Problem(
          'not_a_regular_file',
          `"${path}" is a directory, a symlink or a device; only regular files can be read.`,
        );
      }
      throw error;
    }
  }
}

function namesOf(what: 'file' | 'directory', path: string): string[] {
  const names = path.split('/');
  if (!relativePath.safeParse(path).success || names[0] === CONTROL_DIRECTORY) throw notFound(what, path);
  return names;
}

async function lstatIfThere(parent: ConfinedDirectory, name: string): Promise<Stats | undefined> {
  try {
    return await parent.lstat(name);
  } catch (error) {
    if (isMissing(error) || isRefused(error)) return undefined;
    throw error;
  }
}

function toRunFile(path: string, stats: Stats): RunFile {
  return {
    path,
    type: typeOf(stats),
    size: stats.isFile() ? stats.size : 0,
    mode: (stats.mode & 0o7777).toString(8).padStart(4, '0'),
    modifiedAt: modificationTime(stats).toISOString(),
  };
}

function typeOf(stats: Stats): RunFile['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}
