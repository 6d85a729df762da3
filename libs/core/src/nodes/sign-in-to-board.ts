import { authorize } from './authorize.ts';
import type { Board, BoardPatch } from './board.ts';
import type { BoardConnection, BoardConnector, ConnectOutcome, SignIn } from './board-connection.ts';
import type { BoardStore } from './board-store.ts';
import { StepProblem } from './board-step.ts';
import type { ManagedKey } from './managed-key.ts';
import { openSignIn, openSudoPassword, sudoPurpose } from './sealed-sign-in.ts';
import type { SecretBox } from './secret-box.ts';
import { succeed } from './succeed.ts';

export const SIGN_IN_STEP = { name: 'sign-in', title: 'signing in with the managed key' } as const;

export interface SignInPorts {
  boards: BoardStore;
  connector: BoardConnector;
  secrets: SecretBox;
  managedKey: () => Promise<ManagedKey>;
}

export interface SignedIn {
  connection: BoardConnection;
  /** With the host key pinned, and the admin's secret forgotten. */
  board: Board;
  detail: string;
  changed: boolean;
}

/**
 * Signs in to a board: with the managed key, or the first time with the admin's password or key, which then installs the
 * managed key, proves that it works, and is forgotten. The host key of the first time is pinned.
 */
export class SignInToBoard {
  readonly #ports: SignInPorts;

  constructor(ports: SignInPorts) {
    this.#ports = ports;
  }

  /** @throws StepProblem */
  async run(board: Board): Promise<SignedIn> {
    const { secrets } = this.#ports;
    if (board.sealedSignIn === null) return this.look(board);
    const { publicKeyLine } = await this.#ports.managedKey();
    const first = connected(board, await this.#connect(board, openSignIn(board, secrets)));
    try {
      const pinned = await this.change(board, { hostKeySha256: first.hostKeySha256 });
      await authorize(first, publicKeyLine);
      const sealedSudoPassword = await this.#sudoPassword(pinned, first);
      const proof = await this.#connect(pinned, await this.#managed(pinned));
      if (proof.kind === 'refused') {
        throw new StepProblem(
          `The managed key was installed for ${board.signInUser}, and sshd does not take it: ${proof.because}. ` +
            'Allow PubkeyAuthentication in sshd_config.',
        );
      }
      connected(pinned, proof).close();
      const known = await this.change(pinned, { sealedSignIn: null, sealedSudoPassword });
      return {
        connection: first,
        board: known,
        detail: `installed the managed key for ${board.signInUser}, pinned ${first.hostKeySha256}`,
        changed: true,
      };
    } catch (error) {
      first.close();
      throw error;
    }
  }

  /**
   * Signs in with what there is, and changes nothing.
   * @throws StepProblem
   */
  async look(board: Board): Promise<SignedIn> {
    const { secrets } = this.#ports;
    if (board.sealedSignIn === null)
      return { connection: await this.again(board), board, detail: `as ${board.signInUser}`, changed: false };
    const connection = connected(board, await this.#connect(board, openSignIn(board, secrets)));
    const detail = `the managed key is to be installed for ${board.signInUser}; the host key is ${connection.hostKeySha256}`;
    return { connection, board, detail, changed: true };
  }

  /**
   * Signs in with the managed key, to a board where it is installed.
   * @throws StepProblem
   */
  async again(board: Board): Promise<BoardConnection> {
    const outcome = await this.#connect(board, await this.#managed(board));
    if (outcome.kind !== 'refused') return connected(board, outcome);
    throw new StepProblem(
      `${board.address} does not let ${board.signInUser} in with the managed key any more: ${outcome.because}. ` +
        'Was it removed from authorized_keys? Apply with a password or a key to install it again.',
    );
  }

  /**
   * Whether the managed key is still taken.
   * @throws StepProblem where that cannot be found out
   */
  async isLetIn(board: Board): Promise<boolean> {
    const outcome = await this.#connect(board, await this.#managed(board));
    if (outcome.kind === 'refused') return false;
    connected(board, outcome).close();
    return true;
  }

  async #managed(board: Board): Promise<SignIn> {
    const { privateKey } = await this.#ports.managedKey();
    return {
      user: board.signInUser,
      secret: { privateKey },
      sudoPassword: openSudoPassword(board, this.#ports.secrets),
    };
  }

  /** The admin's password, where sudo asks for one; the connection has used it, so it is the right one. */
  async #sudoPassword(board: Board, connection: BoardConnection): Promise<string | null> {
    const { secrets } = this.#ports;
    if (board.signInUser === 'root') return null;
    const bare = await connection.run({ argv: ['sudo', '-n', 'true'] });
    if (bare.kind === 'exited' && bare.code === 0) return null;
    await succeed(connection, { argv: ['true'], root: true });
    const { sudoPassword } = openSignIn(board, secrets);
    return sudoPassword === null ? null : secrets.seal(sudoPassword, sudoPurpose(board.id));
  }

  /**
   * At the stored address, or at the one that the board is to have: whoever gave it that may have been interrupted before
   * it was stored. The pinned host key says that it is the same board.
   */
  async #connect(board: Board, signIn: SignIn): Promise<ConnectOutcome> {
    const { address, sshPort: port, hostKeySha256, network } = board;
    const at = (where: string): Promise<ConnectOutcome> =>
      this.#ports.connector.connect({ address: where, port, hostKeySha256, signIn });
    const outcome = await at(address);
    const isElsewhere = outcome.kind === 'unreachable' || outcome.kind === 'host_key_changed';
    if (!isElsewhere || hostKeySha256 === null || network === null || network.address === address)
      return outcome;
    const there = await at(network.address);
    return there.kind === 'connected' ? there : outcome;
  }

  /** @throws StepProblem, passing, where somebody else has changed the board */
  async change(board: Board, patch: BoardPatch): Promise<Board> {
    const changed = await this.#ports.boards.change(board, patch);
    if (changed === undefined) throw new StepProblem('The board was changed meanwhile.', { passing: true });
    return changed;
  }
}

function connected(board: Board, outcome: ConnectOutcome): BoardConnection {
  switch (outcome.kind) {
    case 'connected':
      return outcome.connection;
    case 'host_key_changed':
      throw new StepProblem(
        `${board.address} showed the host key ${outcome.shownSha256}, but ${board.hostKeySha256 ?? 'none'} is pinned; ` +
          'nothing was sent there. Is it another machine, or was it installed anew?',
      );
    case 'refused':
      throw new StepProblem(`${board.address} does not let ${board.signInUser} in: ${outcome.because}`);
    case 'unreachable':
      throw new StepProblem(`${board.address} cannot be reached: ${outcome.because}`, { passing: true });
  }
}
