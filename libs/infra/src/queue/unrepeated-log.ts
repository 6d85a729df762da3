import type { Log } from '../database/log.ts';

const SAME_AGAIN_MS = 60_000;

/** A log that tells the same once a minute: a connection that is away says so at every attempt. */
export function unrepeated(log: Log): Log {
  const toldAt = new Map<string, number>();
  return (level, message, error) => {
    const key = `${message} ${error instanceof Error ? error.message : ''}`;
    const now = performance.now();
    for (const [told, at] of toldAt) if (now - at >= SAME_AGAIN_MS) toldAt.delete(told);
    if (toldAt.has(key)) return;
    toldAt.set(key, now);
    log(level, message, error);
  };
}
