import { once } from 'node:events';
import process from 'node:process';
import type { Terminal } from './terminal.ts';

/** The terminal that the process was started from. */
export function processTerminal(): Terminal {
  // Who reads the output may have seen enough: `bramble logs … | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return {
    environment: process.env,
    outIsTerminal: process.stdout.isTTY,
    errIsTerminal: process.stderr.isTTY,
    out: (text) => write(process.stdout, text),
    err: (text) => write(process.stderr, text),
    onInterrupt(listener) {
      process.once('SIGINT', listener);
      return () => process.removeListener('SIGINT', listener);
    },
  };
}

async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}
