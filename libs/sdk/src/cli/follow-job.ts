import type { Job } from '../jobs/job.ts';
import type { LogStream } from '../jobs/log-line.ts';
import type { Session } from './session.ts';

export interface FollowOptions {
  streams: readonly LogStream[];
  follow: boolean;
  tail?: number | undefined;
  signal: AbortSignal;
}

/** Prints logs: standard output to standard output, standard error to standard error; with `--json` a line each. */
export async function printLogs(session: Session, job: Job, options: FollowOptions): Promise<void> {
  const stopped = new AbortController();
  const signal = AbortSignal.any([options.signal, stopped.signal]);
  try {
    await Promise.all(
      options.streams.map(async (stream) => {
        const { follow, tail } = options;
        for await (const line of job.logs({ stream, follow, tail, signal })) {
          if (session.json) await session.terminal.out(`${JSON.stringify(line)}\n`);
          else if (stream === 'stderr' && options.streams.length > 1)
            await session.terminal.err(`${line.text}\n`);
          else await session.terminal.out(`${line.text}\n`);
        }
      }),
    );
  } finally {
    stopped.abort();
  }
}

/** Tells a person who waits what becomes of the job before it runs, and why it has to wait. */
export async function tellProgress(session: Session, job: Job, signal: AbortSignal): Promise<void> {
  if (session.json || !session.terminal.errIsTerminal) return;
  for await (const { state, reason } of job.events({ signal })) {
    await session.tell(`bramble: ${state}${reason === null ? '' : ` – ${reason.message}`}`);
    if (state === 'running') return;
  }
}
