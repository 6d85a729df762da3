import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** One JSON line an event, to stdout. Headers that carry secrets never get that far. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['req.headers.authorization', 'req.headers.cookie', '*.password', '*.apiKey'],
      censor: '[secret]',
    },
  });
}
