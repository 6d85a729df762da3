import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import type { SshLink } from './ssh-link.ts';

export interface RemoteCommand {
  /** One command line for the user's login shell, which must be a POSIX shell. */
  commandLine: string;
  /** The standard input; a function is given it to write to, and has to end it. Default: none. */
  input?: string | ((stdin: Writable) => void);
  /**
   * Counted from the start. A command that is given up may live on where it runs, unless its line sees to its end: no
   * signal can be sent to a channel whose input has ended.
   */
  timeoutMs: number;
  onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  /** Gives the command up. */
  stop?: AbortSignal;
}

export type RemoteEnd =
  | { kind: 'exited'; code: number }
  | { kind: 'signalled'; signal: string }
  | { kind: 'timed_out' }
  | { kind: 'stopped' }
  /** The connection broke, or fell silent, after the command was sent: it may have run. */
  | { kind: 'lost'; because: string }
  /** The command was never sent, or the server has refused it. */
  | { kind: 'unreachable'; because: string };

/** Wait before a host that had no room for another channel is asked again. */
const NO_ROOM_WAIT_MS = 100;

/** No attempt is begun later than this before the time is up: one that is not confirmed in time costs the connection. */
const SHORTEST_ATTEMPT_MS = 2_000;

/**
 * Runs a command in a channel of its own. A host that does not confirm its start in time is given up altogether. One
 * that refuses the channel is asked again: sshd counts a channel for a moment after it was closed.
 * @param startBy time of `performance.now()`
 */
export async function runOn(link: SshLink, command: RemoteCommand, startBy: number): Promise<RemoteEnd> {
  for (;;) {
    const end = await attempt(link, command, startBy);
    const isRefused = end.kind === 'unreachable' && link.lostBecause === undefined;
    if (!isRefused || performance.now() + NO_ROOM_WAIT_MS + SHORTEST_ATTEMPT_MS > startBy) return end;
    await sleep(NO_ROOM_WAIT_MS);
  }
}

function attempt(link: SshLink, command: RemoteCommand, startBy: number): Promise<RemoteEnd> {
  const { lostBecause } = link;
  if (lostBecause !== undefined) return Promise.resolve({ kind: 'unreachable', because: lostBecause });
  return new Promise((resolve) => {
    let channel: ClientChannel | undefined;
    let lifeTimer: NodeJS.Timeout | undefined;
    const startTimer = setTimeout(
      () => link.break('the host did not confirm the start of a command in time'),
      Math.max(0, startBy - performance.now()),
    );
    const stopWatching = link.whenLost((because) => settle({ kind: 'lost', because }));
    const onStop = () => giveUp({ kind: 'stopped' });
    command.stop?.addEventListener('abort', onStop);

    function settle(end: RemoteEnd): void {
      clearTimeout(startTimer);
      clearTimeout(lifeTimer);
      stopWatching();
      command.stop?.removeEventListener('abort', onStop);
      resolve(end);
    }
    function giveUp(end: RemoteEnd): void {
      channel?.close();
      settle(end);
    }

    try {
      link.exec(command.commandLine, (error, opened) => {
        if (error !== undefined) {
          settle({ kind: wasRefused(error) ? 'unreachable' : 'lost', because: error.message });
          return;
        }
        clearTimeout(startTimer);
        channel = opened;
        lifeTimer = setTimeout(() => giveUp({ kind: 'timed_out' }), command.timeoutMs);
        let end: RemoteEnd = { kind: 'lost', because: 'the channel was closed without an exit status' };
        opened.on('data', (chunk: Buffer) => command.onOutput('stdout', chunk));
        opened.stderr.on('data', (chunk: Buffer) => command.onOutput('stderr', chunk));
        opened.on('error', () => {});
        opened.stderr.on('error', () => {});
        opened.on('exit', (code: number | null, signal?: string) => {
          end =
            code === null
              ? { kind: 'signalled', signal: signal ?? 'an unknown signal' }
              : { kind: 'exited', code };
        });
        opened.on('close', () => settle(end));
        if (typeof command.input === 'function') command.input(opened);
        else opened.end(command.input ?? '');
      });
    } catch (error) {
      // ssh2 throws where the connection is gone before it could write anything.
      settle({ kind: 'unreachable', because: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** The server refused to open the channel, or to run the command in it. */
const wasRefused = (error: Error): boolean => 'reason' in error || error.message === 'Unable to exec';
