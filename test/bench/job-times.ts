import type { JobEvent } from '@bramble/sdk';
import type { Installation } from '../e2e/installation.ts';

/** When a job came into each of its states, in milliseconds since 1970. */
export type JobTimes = ReadonlyMap<JobEvent['state'], number>;

/** Reads them from the job's events, which are told afterwards too: nothing is watched while something is measured. */
export async function jobTimes({ apiUrl, adminKey }: Installation, jobId: string): Promise<JobTimes> {
  const response = await fetch(`${apiUrl}/v1/jobs/${jobId}/events`, {
    headers: { Authorization: `Bearer ${adminKey}`, Accept: 'application/json' },
  });
  if (!response.ok) throw new Error(`the events of ${jobId} were answered with ${response.status}`);
  const { items } = (await response.json()) as { items: JobEvent[] };
  const times = new Map<JobEvent['state'], number>();
  for (const { state, at } of items) if (!times.has(state)) times.set(state, Date.parse(at));
  return times;
}

/** Milliseconds from one state to another. */
export function between(times: JobTimes, from: JobEvent['state'], to: JobEvent['state']): number {
  const [start, end] = [times.get(from), times.get(to)];
  if (start === undefined || end === undefined) throw new Error(`the job was never ${from} and then ${to}`);
  return end - start;
}
