import type { JobInput, JobRequest, MpiProgram, MpiSource } from '../api-types.ts';
import type { LocalFile } from '../files/local-file.ts';
import type { CallOptions } from '../http/api-request.ts';

/**
 * What a user asks for: exactly one of `script`, `command` and `mpi`, and the resources to run it with. Local files
 * may stand where the API wants their text or an artifact.
 */
export interface JobSubmission extends Omit<JobRequest, 'mpi' | 'inputs'> {
  mpi?: MpiSubmission | undefined;
  /** Files to put into the run directory. */
  inputs?: InputSubmission[] | undefined;
}

export interface MpiSubmission extends Omit<MpiProgram, 'source'> {
  /** A C, C++ or Fortran source, compiled on the cluster. The ending of its name chooses the compiler. */
  source?: LocalFile | MpiSource | undefined;
}

export interface LocalInput {
  /** Where the file stands, relative to the run directory. */
  path: string;
  file: LocalFile;
  /** Permissions, octal. Default: `0644`. */
  mode?: string | undefined;
}

export type InputSubmission = LocalInput | JobInput;

export interface SubmissionProgress {
  /** The file that is being uploaded. Small text files travel in the request itself and are not reported. */
  path: string;
  bytes: number;
  totalBytes: number;
}

export interface SubmitOptions extends CallOptions {
  /**
   * Any visible ASCII text of up to 255 characters, unique to this job: submitted again with the same key, the same
   * request gives the same job, for ever. Default: a random one, which makes repetitions inside this call safe.
   *
   * A file that is large or binary is uploaded anew by each call, so a second call names another artifact and is
   * another request. Upload such files once, and name the artifact, to submit with a key of your own.
   */
  idempotencyKey?: string | undefined;
  onProgress?: ((progress: SubmissionProgress) => void) | undefined;
}
