import type { Clock } from '../../vocabulary/clock.ts';
import { Problem } from '../../vocabulary/problem.ts';
import type { ManageBoards } from '../manage-boards.ts';
import type { NodeOperation } from '../../operations/operation.ts';
import { KNOWN_BOARDS, knownBoards } from '../steps/hosts-step.ts';
import type { BoardInventory, KnownBoard } from './board-inventory.ts';

export interface SpreadHostsPorts {
  inventory: BoardInventory;
  manage: Pick<ManageBoards, 'begin'>;
  clock: Clock;
}

/** Before a board that could not be told is told again. */
const AGAIN_AFTER_MS = 10 * 60_000;

/** Tells boards of others that have come, moved or gone since they were told last. */
export class SpreadHosts {
  readonly #ports: SpreadHostsPorts;

  constructor(ports: SpreadHostsPorts) {
    this.#ports = ports;
  }

  /** @returns how many boards are being told */
  async run(): Promise<number> {
    const { inventory, manage, clock } = this.#ports;
    const known = await inventory.list();
    const told = await inventory.lastEnded(['enrol', 'hosts']);
    const current = knownBoards(known.map(({ board }) => board));
    const before = clock.now().getTime() - AGAIN_AFTER_MS;
    let count = 0;
    for (const one of known) {
      if (!isBehind(one, told.get(one.board.id), current, before)) continue;
      try {
        await manage.begin(one.board.name, 'hosts');
        count += 1;
      } catch (error) {
        // An admin was faster: something is being done with it, or it is forgotten.
        if (!(error instanceof Problem)) throw error;
      }
    }
    return count;
  }
}

function isBehind(
  { board, busy }: KnownBoard,
  last: NodeOperation | undefined,
  current: string,
  beforeMs: number,
): boolean {
  if (busy || board.sealedSignIn !== null || last === undefined) return false;
  if (last.state === 'done') return last.notes[KNOWN_BOARDS] !== current;
  return last.kind === 'hosts' && (last.endedAt?.getTime() ?? 0) < beforeMs;
}
