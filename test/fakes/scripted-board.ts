import type {
  BoardCommand,
  BoardConnection,
  BoardConnector,
  BoardTarget,
  CommandEnd,
  ConnectOutcome,
} from '#core/nodes/board-connection';

export const exited = (code: number, stdout = '', stderr = ''): CommandEnd => ({
  kind: 'exited',
  code,
  stdout,
  stderr,
});

/** A board that answers as a test says, and remembers who signed in and what was run. */
export class ScriptedBoard implements BoardConnector {
  hostKeySha256 = `SHA256:${'a'.repeat(43)}`;
  reachable = true;
  password = 'raspberry';
  readonly authorizedKeys = new Set<string>();
  readonly signedIn: ('password' | 'key')[] = [];
  readonly commands: BoardCommand[] = [];
  open = 0;
  /** Answers a command; undefined where it simply succeeds. */
  answer: (command: BoardCommand) => CommandEnd | undefined = () => undefined;

  async connect(target: BoardTarget): Promise<ConnectOutcome> {
    if (!this.reachable) return { kind: 'unreachable', because: 'no route to host' };
    if (target.hostKeySha256 !== null && target.hostKeySha256 !== this.hostKeySha256)
      return { kind: 'host_key_changed', shownSha256: this.hostKeySha256 };
    const { secret } = target.signIn;
    const taken =
      'password' in secret ? secret.password === this.password : this.authorizedKeys.has(secret.privateKey);
    if (!taken) return { kind: 'refused', because: 'all configured authentication methods failed' };
    this.signedIn.push('password' in secret ? 'password' : 'key');
    return { kind: 'connected', connection: this.#connection() };
  }

  #connection(): BoardConnection {
    this.open += 1;
    return {
      hostKeySha256: this.hostKeySha256,
      run: async (command) => {
        this.commands.push(command);
        if (!this.reachable) return { kind: 'lost', because: 'the connection was closed' };
        return this.answer(command) ?? exited(0);
      },
      close: () => {
        this.open -= 1;
      },
    };
  }
}
