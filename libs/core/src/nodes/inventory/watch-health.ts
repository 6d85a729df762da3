import type { Clock } from '../../vocabulary/clock.ts';
import type { Board } from '../board.ts';
import type { BoardConnector } from '../board-connection.ts';
import type { BoardStore } from '../board-store.ts';
import { StepProblem } from '../board-step.ts';
import type { ManagedKey } from '../managed-key.ts';
import { isOver } from '../../operations/operation.ts';
import { openSudoPassword } from '../sealed-sign-in.ts';
import type { SecretBox } from '../secret-box.ts';
import { type BoardHealth, HEALTH_STATES, type HealthState } from './board-health.ts';
import type { BoardInventory, KnownBoard } from './board-inventory.ts';
import { type BoardSighting, judgeHealth } from './judge-health.ts';
import { nextLook } from './next-look.ts';
import type { NodeEvents } from './node-event.ts';
import { readCondition } from './read-condition.ts';

export interface WatchHealthPorts {
  boards: Pick<BoardStore, 'operationsOf'>;
  inventory: BoardInventory;
  events: NodeEvents;
  connector: BoardConnector;
  secrets: SecretBox;
  managedKey: () => Promise<ManagedKey>;
  clock: Clock;
  /** How often each board is looked at. */
  intervalMs: number;
  /** Told of a look that failed for reasons other than the board's. */
  onError: (error: unknown, board: string) => void;
}

/** Boards that are looked at at the same time: those that answered the last time, and those that did not. */
const MOST_LOOKS = { answering: 8, away: 4 } as const;
/** A busy Raspberry Pi 2 takes seconds for a key exchange; for a board that is away that would be wasted. */
const CONNECT_WITHIN_MS = { answering: 10_000, away: 5_000 } as const;

/** A connection that breaks without a word would be noticed half a minute later. */
const ANSWER_WITHIN_MS = 10_000;

type Lane = keyof typeof MOST_LOOKS;

/**
 * Keeps it known how the boards are. Each board is looked at by itself: one that does not answer keeps none of the
 * others waiting. One that an operation is under way for is left to that.
 */
export class WatchHealth {
  readonly #ports: WatchHealthPorts;
  readonly #underWay = new Map<string, { lane: Lane; ended: Promise<void> }>();
  /** Boards whose look failed for reasons of Bramble's own, and when to try again. */
  readonly #putOff = new Map<string, Date>();
  readonly #stopped = new AbortController();

  constructor(ports: WatchHealthPorts) {
    this.#ports = ports;
  }

  /**
   * Begins to look at the boards whose time has come, and does not wait for them.
   * @returns boards by the state that is known
   */
  async run(): Promise<Map<HealthState, number>> {
    const known = await this.#ports.inventory.list();
    const now = this.#ports.clock.now();
    for (const one of known) {
      if (isDue(one, now) && (this.#putOff.get(one.board.id) ?? now) <= now) this.#begin(one);
    }
    const counts = new Map<HealthState, number>(HEALTH_STATES.map((state) => [state, 0]));
    for (const { health } of known) {
      const state = health?.state ?? 'unknown';
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return counts;
  }

  /** Waits for the looks under way. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(({ ended }) => ended));
  }

  /** Breaks off the looks under way, and waits for their end. What they have seen is not kept. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.settled();
  }

  #begin(known: KnownBoard): void {
    const { id, name } = known.board;
    const lane: Lane = (known.health?.failures ?? 0) === 0 ? 'answering' : 'away';
    const abreast = [...this.#underWay.values()].filter((other) => other.lane === lane).length;
    if (this.#underWay.has(id) || abreast >= MOST_LOOKS[lane] || this.#stopped.signal.aborted) return;
    const { clock, intervalMs, onError } = this.#ports;
    this.#putOff.delete(id);
    const ended = this.#look(known, lane)
      .catch((error: unknown) => {
        this.#putOff.set(id, nextLook(id, clock.now(), intervalMs, 1));
        onError(error, name);
      })
      .finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, { lane, ended });
  }

  async #look({ board, health: before }: KnownBoard, lane: Lane): Promise<void> {
    const { clock, inventory, intervalMs } = this.#ports;
    const sighting = await this.#see(board, CONNECT_WITHIN_MS[lane]);
    if (this.#stopped.signal.aborted) return;
    // Whoever restarts a board knows that it is away.
    if (sighting.kind !== 'seen' && (await this.#isBusy(board.name))) return;
    const now = clock.now();
    const { state, reasons } = judgeHealth(sighting);
    const failures = sighting.kind === 'seen' ? 0 : (before?.failures ?? 0) + 1;
    const health: BoardHealth = {
      boardId: board.id,
      state,
      reasons,
      observedAt: now,
      since: before?.state === state ? before.since : now,
      condition: sighting.kind === 'seen' ? sighting.condition : (before?.condition ?? null),
      failures,
      nextLookAt: nextLook(board.id, now, intervalMs, failures),
    };
    await this.#tell(board.name, before, health);
    await inventory.recordHealth(health);
  }

  async #see(board: Board, timeoutMs: number): Promise<BoardSighting> {
    const { connector, secrets, managedKey, clock } = this.#ports;
    const { address, sshPort: port, hostKeySha256, signInUser: user } = board;
    const { privateKey } = await managedKey();
    const { signal } = this.#stopped;
    const signIn = { user, secret: { privateKey }, sudoPassword: openSudoPassword(board, secrets) };
    const outcome = await connector.connect({ address, port, hostKeySha256, signIn }, { timeoutMs, signal });
    if (outcome.kind !== 'connected') return outcome;
    const { connection } = outcome;
    const close = () => connection.close();
    const enough = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    enough.addEventListener('abort', close);
    try {
      return { kind: 'seen', condition: await readCondition(connection, () => clock.now().getTime()) };
    } catch (error) {
      if (!(error instanceof StepProblem)) throw error;
      return { kind: error.passing ? 'unreachable' : 'unreadable', because: error.message };
    } finally {
      enough.removeEventListener('abort', close);
      close();
    }
  }

  async #isBusy(name: string): Promise<boolean> {
    const [latest] = await this.#ports.boards.operationsOf('node', name, 1);
    return latest !== undefined && !isOver(latest.state);
  }

  async #tell(node: string, before: BoardHealth | null, after: BoardHealth): Promise<void> {
    const { events } = this.#ports;
    const at = after.observedAt;
    const startedAt = before?.condition?.bootId;
    if (startedAt !== undefined && after.condition !== null && after.condition.bootId !== startedAt) {
      const detail = `up since ${after.condition.bootedAt}`;
      await events.record({ node, at, type: 'restarted', state: null, detail, operation: null });
    }
    if (before?.state === after.state && codes(before) === codes(after)) return;
    const detail = after.reasons.map(({ message }) => message).join(' ') || null;
    await events.record({ node, at, type: 'health', state: after.state, detail, operation: null });
  }
}

const codes = ({ reasons }: Pick<BoardHealth, 'reasons'>): string => reasons.map(({ code }) => code).join();

/** Before the managed key is installed there is no way in. */
const isDue = ({ board, health, busy }: KnownBoard, now: Date): boolean =>
  !busy &&
  board.sealedSignIn === null &&
  board.hostKeySha256 !== null &&
  (health === null || health.nextLookAt <= now);
