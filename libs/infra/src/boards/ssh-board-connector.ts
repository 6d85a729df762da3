import type { BoardConnector, BoardTarget, ConnectOutcome } from '#core/nodes/board-connection';
import { assertFingerprint } from '#infra/ssh/host-key';
import { HostKeyChanged, SshLink } from '#infra/ssh/ssh-link';
import { SignInRefused } from '#infra/ssh/sign-in';
import { SshBoardConnection } from './ssh-board-connection.ts';

/** A small board that is busy takes seconds for a key exchange. */
const DEFAULT_CONNECT_TIMEOUT_MS = 15_000;

const KEEPALIVE_INTERVAL_MS = 10_000;

/** Signs in to boards over SSH, by password or by key. */
export class SshBoardConnector implements BoardConnector {
  /** @throws TypeError where the pinned fingerprint is none */
  async connect(
    { address, port, hostKeySha256, signIn }: BoardTarget,
    { timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<ConnectOutcome> {
    if (hostKeySha256 !== null) assertFingerprint(hostKeySha256);
    try {
      const link = await SshLink.open(
        { host: address, port, user: signIn.user, secret: signIn.secret, hostKeySha256 },
        {
          connectTimeoutMs: timeoutMs,
          keepaliveIntervalMs: KEEPALIVE_INTERVAL_MS,
          ...(signal === undefined ? {} : { signal }),
        },
      );
      return { kind: 'connected', connection: new SshBoardConnection(link, signIn) };
    } catch (error) {
      if (error instanceof HostKeyChanged)
        return { kind: 'host_key_changed', shownSha256: error.shownSha256 };
      const because = error instanceof Error ? error.message : String(error);
      return { kind: error instanceof SignInRefused ? 'refused' : 'unreachable', because };
    }
  }
}
