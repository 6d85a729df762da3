import { requestPath } from '../http/request-path.ts';
import type { Transport } from '../http/transport.ts';
import { eventStream } from '../sse/event-stream.ts';
import { LineSplitter } from './line-splitter.ts';
import type { LogLine, LogOptions, LogTextOptions } from './log-line.ts';

const logPath = (jobId: string) => requestPath('v1', 'jobs', jobId, 'logs');

/** The lines of a log. A connection that breaks is taken up again where it was; no line is lost or doubled. */
export async function* logLines(
  transport: Transport,
  jobId: string,
  { stream = 'stdout', follow = false, offset, tail, signal }: LogOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const lines = new LineSplitter(stream);
  const items = eventStream(transport, {
    path: logPath(jobId),
    // A proxy may drop the header Last-Event-ID, so the offset says the same.
    query: (lastEventId) => ({
      stream,
      follow,
      ...(lastEventId === undefined ? { offset, tail } : { offset: lastEventId }),
    }),
    signal,
  });
  let read = 0;
  for await (const item of items) {
    if (item.kind === 'closed') continue;
    const { event, data, id } = item.event;
    if (event === 'end') {
      yield* lines.end();
      return;
    }
    if (event !== 'log') continue;
    const { offset: start, text } = JSON.parse(data) as { offset: number; text: string };
    const end = Number(id);
    if (end <= read) continue;
    read = end;
    yield* lines.push({ start, end, text });
  }
}

/** What a log holds now. */
export async function logText(
  transport: Transport,
  jobId: string,
  { stream, offset, tail, signal }: LogTextOptions,
): Promise<string> {
  const answer = await transport.stream(
    { method: 'GET', path: logPath(jobId), query: { stream, offset, tail }, repeatable: true, signal },
    'text/plain',
  );
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of answer.pieces) text += decoder.decode(bytes, { stream: true });
  return text + decoder.decode();
}
