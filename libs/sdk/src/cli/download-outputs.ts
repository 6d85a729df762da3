import type { Job } from '../jobs/job.ts';
import { byteCount } from './measures.ts';
import type { Session } from './session.ts';

/** Downloads the outputs of a job, and shows how far it has come to a person who looks on. */
export async function downloadOutputs(
  session: Session,
  job: Job,
  directory: string,
  options: { overwrite: boolean },
): Promise<void> {
  const shown = session.terminal.errIsTerminal && !session.json;
  let lastShownAt = 0;
  const files = await job.outputs.download(directory, {
    ...options,
    onProgress: ({ path, bytes, totalBytes }) => {
      if (!shown || (Date.now() - lastShownAt < 100 && bytes < totalBytes)) return;
      lastShownAt = Date.now();
      const percent = totalBytes === 0 ? 100 : Math.floor((100 * bytes) / totalBytes);
      void session.terminal.err(`\r\x1b[K${percent}% of ${byteCount(totalBytes)}  ${path}`);
    },
  });
  if (shown && files.length > 0) await session.terminal.err('\r\x1b[K');
  if (session.json) await session.terminal.out(`${JSON.stringify({ files })}\n`);
  else for (const { localPath } of files) await session.terminal.out(`${localPath}\n`);
  if (files.length === 0)
    await session.tell('bramble: the job has no outputs; "--output" of "submit" names them.');
}
