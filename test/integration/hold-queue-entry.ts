import { openQueues } from '../../libs/infra/src/queue/open-queues.ts';
import type { QueueLocation } from '../../libs/infra/src/queue/bull-backend.ts';

/** A worker that takes one entry of the queue `jobs.submit`, prints its job and never gets done with it. */
const [location] = process.argv.slice(2);
if (location === undefined) throw new Error('usage: hold-queue-entry LOCATION');
const queues = await openQueues(JSON.parse(location) as QueueLocation, () => {});
queues.worker('jobs.submit', ({ jobId }) => {
  process.stdout.write(`${jobId}\n`);
  return new Promise(() => {});
});
setInterval(() => {}, 60_000);
