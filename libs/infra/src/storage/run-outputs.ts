import { createHash } from 'node:crypto';
import type { OutputFile } from '#core/jobs/job';
import { ConfinedDirectory, NotARegularFileError } from './confined-directory.ts';
import { isMissing, isRefused } from './file-system-error.ts';
import { inParallel } from './in-parallel.ts';
import { OutputPatterns } from './output-patterns.ts';
import { RegularFile } from './regular-file.ts';
import { TreeWalk } from './tree-walk.ts';

export interface OutputLimits {
  maximumFiles: number;
  /**
   * Bytes that are read for their digests, of all files together. A sparse file costs its account nothing, and would
   * keep a worker reading for days.
   */
  maximumBytes: number;
}

export const OUTPUT_LIMITS: OutputLimits = { maximumFiles: 10_000, maximumBytes: 256 * 1024 ** 3 };

const MATCHED_AT_ONCE = 256;
const HASHED_AT_ONCE = 4;

/** What there is of a job's outputs. `truncated` where some that may match are not among the files. */
export interface RunOutputs {
  files: OutputFile[];
  truncated: boolean;
}

/**
 * The regular files below a run directory that match any of the patterns, in order of path. Whatever its account has
 * put there, this ends with an answer; it throws only where the storage fails.
 */
export async function collectRunOutputs(
  runDirectory: string,
  patterns: readonly string[],
  limits: OutputLimits = OUTPUT_LIMITS,
): Promise<RunOutputs> {
  if (patterns.length === 0) return { files: [], truncated: false };
  const found = await matchingPaths(runDirectory, new OutputPatterns(patterns), limits);
  const hashed = await hashAll(runDirectory, found.paths, limits);
  return {
    files: hashed.files.sort((a, b) => (a.path < b.path ? -1 : 1)),
    truncated: found.truncated || hashed.truncated,
  };
}

async function matchingPaths(
  runDirectory: string,
  patterns: OutputPatterns,
  { maximumFiles }: OutputLimits,
): Promise<{ paths: string[]; truncated: boolean }> {
  const walk = new TreeWalk(patterns.deepest);
  const matching: string[] = [];
  let candidates: string[] = [];
  const match = (): void => {
    matching.push(...patterns.matching(candidates));
    candidates = [];
  };
  await ConfinedDirectory.within(runDirectory, [], async (directory) => {
    for await (const { path, type } of walk.visit(directory, '')) {
      if (type === 'file' && candidates.push(path) === MATCHED_AT_ONCE) match();
      if (matching.length > maximumFiles) return;
    }
  });
  match();
  return {
    paths: matching.slice(0, maximumFiles),
    truncated: walk.incomplete || patterns.gaveUp || matching.length > maximumFiles,
  };
}

async function hashAll(
  runDirectory: string,
  paths: readonly string[],
  { maximumBytes }: OutputLimits,
): Promise<RunOutputs> {
  const files: OutputFile[] = [];
  let truncated = false;
  let bytesLeft = maximumBytes;
  await inParallel(HASHED_AT_ONCE, paths, async (path) => {
    const file = await openOutput(runDirectory, path);
    if (file === 'gone') return;
    if (file === 'refused') {
      truncated = true;
      return;
    }
    try {
      if (file.size > bytesLeft) {
        truncated = true;
        return;
      }
      bytesLeft -= file.size;
      const hash = createHash('sha256');
      let size = 0;
      for await (const chunk of file.read()) {
        hash.update(chunk);
        size += chunk.byteLength;
      }
      files.push({ path, size, sha256: hash.digest('hex') });
    } finally {
      await file.close();
    }
  });
  return { files, truncated };
}

async function openOutput(runDirectory: string, path: string): Promise<RegularFile | 'gone' | 'refused'> {
  const parts = path.split('/');
  try {
    const handle = await ConfinedDirectory.within(runDirectory, parts.slice(0, -1), (directory) =>
      directory.openFile(parts.at(-1) ?? ''),
    );
    return await RegularFile.of(handle);
  } catch (error) {
    if (isRefused(error)) return 'refused';
    if (error instanceof NotARegularFileError || isMissing(error)) return 'gone';
    throw error;
  }
}
