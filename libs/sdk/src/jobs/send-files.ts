import type { Artifact, JobInput, JobRequest, MpiProgram } from '../api-types.ts';
import { inlineText, type LocalFile, sizeOf } from '../files/local-file.ts';
import type { InputSubmission, JobSubmission } from './job-submission.ts';

/** A text file up to this size travels inside the request. */
const MOST_INLINE_BYTES = 256 * 1024;
/** All of them together: the API takes 4 MB of JSON, in which a character may need six. */
const MOST_INLINE_BYTES_OF_REQUEST = 512 * 1024;

/** Uploads a file that stands at `path` of the request. */
export type Upload = (file: LocalFile, path: string) => Promise<Artifact>;

/** The request that a submission becomes: small texts inline, everything else uploaded and named. */
export async function sendFiles(submission: JobSubmission, upload: Upload): Promise<JobRequest> {
  const { mpi, inputs, ...rest } = submission;
  const files = new FileSender(upload);
  return {
    ...rest,
    ...(mpi === undefined ? {} : { mpi: await programOf(mpi, files) }),
    ...(inputs === undefined ? {} : { inputs: await inputsOf(inputs, files) }),
  };
}

async function programOf(
  { source, ...program }: NonNullable<JobSubmission['mpi']>,
  files: FileSender,
): Promise<MpiProgram> {
  if (source === undefined) return program;
  if (!('bytes' in source)) return { ...program, source };
  return { ...program, source: { name: source.name, ...(await files.send(source, source.name)) } };
}

async function inputsOf(inputs: readonly InputSubmission[], files: FileSender): Promise<JobInput[]> {
  const sent: JobInput[] = [];
  for (const input of inputs) {
    if ('file' in input) {
      const { file, ...place } = input;
      sent.push({ ...place, ...(await files.send(file, input.path)) });
    } else {
      sent.push(input);
    }
  }
  return sent;
}

class FileSender {
  readonly #upload: Upload;
  #inlineBytesLeft = MOST_INLINE_BYTES_OF_REQUEST;

  constructor(upload: Upload) {
    this.#upload = upload;
  }

  async send(file: LocalFile, path: string): Promise<{ content: string } | { artifact: string }> {
    const content = await inlineText(file, Math.min(MOST_INLINE_BYTES, this.#inlineBytesLeft));
    if (content === undefined) return { artifact: (await this.#upload(file, path)).id };
    this.#inlineBytesLeft -= sizeOf(file);
    return { content };
  }
}
