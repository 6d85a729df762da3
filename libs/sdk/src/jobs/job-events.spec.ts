import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import type { JobEvent } from '../index.ts';
import { openEventStream, serverSentEvent, writeAndBreak } from '../testing/event-stream.ts';
import { JOB_ID, jobResource } from '../testing/job-resource.ts';
import { answerJson, clientOf, localServer, type LocalServer } from '../testing/local-server.ts';

const STATES = ['accepted', 'staging', 'submitting', 'queued', 'running', 'collecting', 'completed'] as const;
const EVENTS: JobEvent[] = STATES.map((state, index) => ({
  jobId: JOB_ID,
  seq: 2 * index + 1,
  type: 'state',
  state,
  reason: null,
  at: '2031-04-05T06:07:08.000Z',
}));
const streamed = (event: JobEvent) => serverSentEvent(event.type, event, event.seq);

const seqs = async (server: LocalServer, after = 0): Promise<number[]> => {
  const read: number[] = [];
  const job = await clientOf(server).jobs.get(JOB_ID);
  for await (const { seq } of job.events({ after })) read.push(seq);
  return read;
};

/** Answers the events behind what was read already, in the pieces that `write` makes of them, and the end after the last. */
const eventServer = (write: (response: ServerResponse, left: string[]) => void) =>
  localServer((request, response) => {
    if (!request.path.endsWith('/events')) {
      answerJson(response, jobResource());
      return;
    }
    const after = Number(request.headers['last-event-id'] ?? request.query.get('after'));
    openEventStream(response);
    const left = EVENTS.filter(({ seq }) => seq > after).map(streamed);
    write(response, [...left, serverSentEvent('end', { state: 'completed' })]);
  });

it('reads on behind the last event after each break, and ends where the server says so', async () => {
  const server = await eventServer((response, left) =>
    writeAndBreak(response, left.slice(0, 2).join('') + (left[2] ?? '').slice(0, 25)),
  );
  expect(await seqs(server)).toEqual([1, 3, 5, 7, 9, 11, 13]);
});

it('reads on where the server closes the stream in between, as it does when it stops', async () => {
  const server = await eventServer((response, left) => response.end(left.slice(0, 3).join('')));
  expect(await seqs(server)).toEqual([1, 3, 5, 7, 9, 11, 13]);
});

it('ends at once where there is nothing behind `after`', async () => {
  const server = await eventServer((response, left) => response.end(left.join('')));
  expect(await seqs(server, 13)).toEqual([]);
});
