import type { z } from 'zod';
import { type Answer, absent, present, unknown } from '#core/vocabulary/answer';
import { CONTROL_DIRECTORY } from '#core/jobs/job-request';
import {
  type ExitRecord,
  exitRecordSchema,
  type StartRecord,
  startRecordSchema,
} from '#core/jobs/run-directory';
import { isListed } from './absence.ts';
import { ConfinedDirectory } from './confined-directory.ts';
import { describeFailure, errnoOf } from './file-system-error.ts';
import { RegularFile } from './regular-file.ts';
import type { StorageLayout } from './storage-layout.ts';

/** The records are lines; the account may have put anything of any size in their place. */
const MAXIMUM_BYTES = 4096;

const LARGEST_SLURM_JOB_ID = 0xffff_ffff;

/**
 * What the batch script leaves in the control directory. A record is `absent` only where the run directory is there
 * and, read afresh, does not list it. A run directory that is not there at all is no evidence: the storage may not be
 * mounted. Nor is a record that cannot be understood.
 */
export class ControlRecords {
  readonly #layout: StorageLayout;

  constructor(layout: StorageLayout) {
    this.#layout = layout;
  }

  claim(jobId: string): Promise<Answer<number>> {
    return this.#read(jobId, ['claim', 'slurm_job_id'], parseSlurmJobId);
  }

  start(jobId: string): Promise<Answer<StartRecord>> {
    return this.#read(jobId, ['start'], (text) => parseJson(text, startRecordSchema));
  }

  exit(jobId: string): Promise<Answer<ExitRecord>> {
    return this.#read(jobId, ['exit'], (text) => parseJson(text, exitRecordSchema));
  }

  async #read<T>(
    jobId: string,
    names: readonly string[],
    parse: (text: string) => T | undefined,
  ): Promise<Answer<T>> {
    const record = `${CONTROL_DIRECTORY}/${names.join('/')} of ${jobId}`;
    const runDirectory = this.#layout.runDirectory(jobId);
    try {
      const text =
        (await readRecord(runDirectory, names)) ??
        ((await isListed(runDirectory, [CONTROL_DIRECTORY, ...names]))
          ? await readRecord(runDirectory, names)
          : null);
      if (text === null) return absent;
      if (text === undefined) return unknown(`${record} is listed, but cannot be opened`);
      if (text.byteLength > MAXIMUM_BYTES) return unknown(`${record} is larger than ${MAXIMUM_BYTES} bytes`);
      const value = parse(text.toString('utf8'));
      return value === undefined ? unknown(`${record} cannot be understood`) : present(value);
    } catch (error) {
      return unknown(`${record} cannot be read: ${describeFailure(error)}`);
    }
  }
}

/** The first bytes of the record, one more than it may have; undefined where there is none. */
async function readRecord(runDirectory: string, names: readonly string[]): Promise<Buffer | undefined> {
  try {
    const handle = await ConfinedDirectory.within(
      runDirectory,
      [CONTROL_DIRECTORY, ...names.slice(0, -1)],
      (directory) => directory.openFile(names.at(-1) ?? ''),
    );
    const file = await RegularFile.of(handle);
    try {
      return await file.readUpTo(0, MAXIMUM_BYTES + 1);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseSlurmJobId(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,9}\n?$/.test(text)) return undefined;
  const id = Number(text);
  return id <= LARGEST_SLURM_JOB_ID ? id : undefined;
}

function parseJson<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
