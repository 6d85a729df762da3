import type { BoardCommand, BoardConnection, CommandEnd, SignIn } from '#core/nodes/board-connection';
import { OutputBuffer } from '#infra/slurm/output-buffer';
import { ChannelSlots } from '#infra/ssh/channel-slots';
import { type RemoteEnd, runOn } from '#infra/ssh/remote-command';
import type { SshLink } from '#infra/ssh/ssh-link';
import { boardCommandLine, INPUT_WITHIN_SECONDS, KILL_AFTER_SECONDS } from './board-command-line.ts';
import { SudoDialogue } from './sudo-dialogue.ts';

/** Commands at once; sshd's MaxSessions is 10 where nobody changed it. */
const MAXIMUM_CHANNELS = 8;

const DEFAULT_TIMEOUT_MS = 30_000;

/** How long a command may wait for its turn, and then for the host to start it. */
const TURN_WITHIN_MS = 60_000;
const START_WITHIN_MS = 10_000;

/** What sudo may take: it sleeps for seconds over a wrong password, and over a host name that it cannot resolve. */
const SUDO_WITHIN_MS = 20_000;

/** How much later than on the board a command is given up here. */
const GRACE_MS = 5_000;

/** Of stdout, and of stderr. */
const MAXIMUM_OUTPUT_BYTES = 1024 * 1024;

/** What `timeout` exits with where it had to end the command, and where it had to kill it. */
const TIMED_OUT_CODES: readonly number[] = [124, 137];

/** Clocks that are being set right run up to a twelfth faster: chrony's `maxslewrate`. */
const SHORTEST_OF_TIMEOUT = 0.9;

/** A board that Bramble is signed in to over SSH. Its login shell must be a POSIX shell. */
export class SshBoardConnection implements BoardConnection {
  readonly hostKeySha256: string;
  readonly #link: SshLink;
  readonly #signIn: Pick<SignIn, 'user' | 'sudoPassword'>;
  readonly #slots = new ChannelSlots(MAXIMUM_CHANNELS);

  constructor(link: SshLink, signIn: Pick<SignIn, 'user' | 'sudoPassword'>) {
    this.#link = link;
    this.#signIn = signIn;
    this.hostKeySha256 = link.hostKeySha256;
  }

  /** @throws RangeError for a NUL, which no argument can hold */
  async run(command: BoardCommand): Promise<CommandEnd> {
    const sudo = this.#sudoFor(command);
    const timeoutMs = command.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const commandLine = boardCommandLine({
      argv: command.argv,
      timeoutMs,
      inputBytes: command.input === undefined ? null : Buffer.byteLength(command.input),
      sudo: sudo?.marks ?? null,
    });
    const giveBack = await this.#slots.take(TURN_WITHIN_MS);
    if (giveBack === undefined) {
      const because = `all ${MAXIMUM_CHANNELS} channels were busy for ${TURN_WITHIN_MS} ms`;
      return { kind: 'unreachable', because };
    }
    const output = {
      stdout: new OutputBuffer(MAXIMUM_OUTPUT_BYTES),
      stderr: new OutputBuffer(MAXIMUM_OUTPUT_BYTES),
    };
    const flood = new AbortController();
    const startedAt = performance.now();
    try {
      const end = await runOn(
        this.#link,
        {
          commandLine,
          input: sudo?.begin ?? command.input ?? '',
          timeoutMs:
            timeoutMs +
            KILL_AFTER_SECONDS * 1000 +
            (command.input === undefined ? 0 : INPUT_WITHIN_SECONDS * 1000) +
            (sudo === null ? 0 : SUDO_WITHIN_MS) +
            GRACE_MS,
          onOutput: (stream, chunk) => {
            if (!output[stream].add(stream, chunk)) flood.abort();
            if (stream === 'stderr') sudo?.hear(chunk);
          },
          stop: flood.signal,
        },
        startedAt + START_WITHIN_MS,
      );
      return toCommandEnd(end, {
        stdout: output.stdout.read().stdout,
        stderr: output.stderr.read().stderr,
        sudo,
        timeoutMs,
        elapsedMs: performance.now() - startedAt,
      });
    } finally {
      giveBack();
    }
  }

  close(): void {
    this.#link.end();
  }

  #sudoFor({ root, input }: BoardCommand): SudoDialogue | null {
    const { user, sudoPassword } = this.#signIn;
    if (root !== true || user === 'root') return null;
    return new SudoDialogue({ user, password: sudoPassword, input: input ?? '' });
  }
}

interface Ended {
  stdout: string;
  stderr: string;
  sudo: SudoDialogue | null;
  timeoutMs: number;
  elapsedMs: number;
}

function toCommandEnd(end: RemoteEnd, { stdout, stderr, sudo, timeoutMs, elapsedMs }: Ended): CommandEnd {
  if (end.kind === 'lost' || end.kind === 'unreachable') return end;
  if (sudo?.isStarted === false) {
    return { kind: 'broken', because: sudo.refusal(stderr), stdout: '', stderr: '', sudoRefused: true };
  }
  const written = { stdout, stderr: sudo?.ownStderr(stderr) ?? stderr };
  const ranOut = `it took longer than ${timeoutMs} ms`;
  const isOverdue = elapsedMs >= timeoutMs * SHORTEST_OF_TIMEOUT;
  switch (end.kind) {
    case 'exited':
      if (isOverdue && TIMED_OUT_CODES.includes(end.code))
        return { kind: 'broken', because: ranOut, ...written };
      return { kind: 'exited', code: end.code, ...written };
    case 'signalled':
      if (isOverdue && end.signal === 'SIGKILL') return { kind: 'broken', because: ranOut, ...written };
      return { kind: 'broken', because: `${end.signal} ended it`, ...written };
    case 'timed_out':
      return { kind: 'broken', because: ranOut, ...written };
    case 'stopped':
      return {
        kind: 'broken',
        because: `it wrote more than ${MAXIMUM_OUTPUT_BYTES} bytes to one of stdout and stderr`,
        ...written,
      };
  }
}
