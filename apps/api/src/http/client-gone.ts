import type { Response } from 'express';

/** Aborted when the client has gone before the answer was complete. */
export function clientGone(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}
