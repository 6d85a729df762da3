/** How a command ended. Only exit code 0 is success: a command that a signal has ended has no exit code. */
export type CommandEnd =
  | { kind: 'exited'; code: number; stdout: string; stderr: string }
  /**
   * It was ended by a signal, ran out of time, or wrote more than 1 MiB to stdout or to stderr. `sudoRefused`: it was not
   * run at all, because sudo did not make the sign-in root: a wrong password, an account that may not, no sudo.
   */
  | { kind: 'broken'; because: string; stdout: string; stderr: string; sudoRefused?: true }
  /** The connection broke after the command was sent: it may have run, and may run still. */
  | { kind: 'lost'; because: string }
  /** The command was never sent. */
  | { kind: 'unreachable'; because: string };

export interface BoardCommand {
  argv: readonly [string, ...string[]];
  /** Standard input. The program finds all of it or is not started. Default: none. */
  input?: string;
  /** Whether root runs it, by sudo where the sign-in is another account. Default: no. */
  root?: boolean;
  /** How long it may take. Default 30,000. It is ended on the board then. */
  timeoutMs?: number;
}

/** A board that Bramble is signed in to. Commands run with `LC_ALL=C`, without a terminal and without a shell. */
export interface BoardConnection {
  /** Fingerprint of the host key that the board has shown, `SHA256:…`. */
  readonly hostKeySha256: string;
  run(command: BoardCommand): Promise<CommandEnd>;
  close(): void;
}

/** Who to sign in as, and with what. */
export interface SignIn {
  user: string;
  secret: { password: string } | { privateKey: string };
  /** For sudo; null where it asks for none. */
  sudoPassword: string | null;
}

export interface BoardTarget {
  address: string;
  port: number;
  /** The only host key that is accepted; null takes any, which is then to be pinned. */
  hostKeySha256: string | null;
  signIn: SignIn;
}

export type ConnectOutcome =
  | { kind: 'connected'; connection: BoardConnection }
  /** The board has shown another key than the pinned one: nothing was sent. */
  | { kind: 'host_key_changed'; shownSha256: string }
  /** The board does not take this password or key, or none at all; or the private key cannot be read. */
  | { kind: 'refused'; because: string }
  /** Nobody answered as an SSH server in time, or `signal` has ended the attempt. */
  | { kind: 'unreachable'; because: string };

export interface BoardConnector {
  connect(
    target: BoardTarget,
    options?: { timeoutMs?: number; signal?: AbortSignal },
  ): Promise<ConnectOutcome>;
}
