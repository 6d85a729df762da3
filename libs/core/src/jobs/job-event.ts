import { z } from 'zod';
import { reasonSchema } from './job.ts';
import { jobStateSchema } from './job-state.ts';

/** One change of a job. `seq` is the job's version after the change, so it grows within a job, with gaps. */
export const jobEventSchema = z
  .object({
    jobId: z.string(),
    seq: z.int().positive().describe('Grows within a job; what `Last-Event-ID` names.'),
    type: z.enum(['state', 'reason', 'cancel_requested']),
    state: jobStateSchema.describe('State of the job after this event.'),
    reason: reasonSchema.nullable(),
    at: z.iso.datetime(),
  })
  .meta({ id: 'JobEvent' });

export type JobEventResource = z.output<typeof jobEventSchema>;

export interface JobEvent extends Omit<JobEventResource, 'at'> {
  at: Date;
}

export const toJobEventResource = (event: JobEvent): JobEventResource => ({
  ...event,
  at: event.at.toISOString(),
});
