import type { ServerResponse } from 'node:http';

export function openEventStream(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
}

export const serverSentEvent = (event: string, data: unknown, id?: number): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Writes, and cuts the connection when what was written has gone out. */
export function writeAndBreak(response: ServerResponse, text: string | Uint8Array): void {
  response.write(text, () => setTimeout(() => response.destroy(), 10));
}
