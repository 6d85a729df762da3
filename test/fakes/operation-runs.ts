import type { Board } from '#core/nodes/board';
import type { BoardStep } from '#core/nodes/board-step';
import type { NodeOperation, NodeOperationKind, NodeOperationParameters } from '#core/operations/operation';
import type { Procedures } from '#core/nodes/procedures';
import { RunOperation } from '#core/nodes/run-operation';
import { PROCEDURES } from '#core/nodes/steps/all-procedures';
import { idOf } from './counting-ids.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryBoardStore } from './memory-board-store.ts';
import { plainSecretBox } from './plain-secret-box.ts';
import { SITE } from './site.ts';
import { ScriptedBoard } from './scripted-board.ts';
import { ScriptedSlurmNodes } from './scripted-slurm-nodes.ts';

/** A board that was enrolled before, in memory. */
export const enrolledBoard = (fields: Partial<Board> = {}): Board => ({
  ...{ id: 'brd_1', version: 1, name: 'node02', address: '10.0.0.3', sshPort: 22, signInUser: 'root' },
  ...{ hostKeySha256: null, roles: ['compute'], labels: {}, network: null, storage: null, trial: false },
  ...{ sealedSignIn: null, sealedSudoPassword: null, facts: null, factsAt: null },
  createdAt: new Date('2026-03-01T12:00:00Z'),
  ...fields,
});

/** Operations on scripted boards, one after the other, on a clock that a test sets. */
export class OperationRuns {
  readonly clock = new ManualClock();
  readonly store = new MemoryBoardStore();
  readonly machine = new ScriptedBoard();
  readonly slurm = new ScriptedSlurmNodes();
  readonly #runner: RunOperation;
  #count = 0;

  constructor(procedures: Partial<Procedures> = {}) {
    this.machine.authorizedKeys.add('managed');
    this.#runner = new RunOperation({
      ...{ boards: this.store, connector: this.machine, secrets: plainSecretBox, clock: this.clock },
      ...{ site: SITE, slurm: this.slurm.ports, procedures: { ...PROCEDURES, ...procedures } },
      managedKey: async () => ({ privateKey: 'managed', publicKeyLine: 'ssh-ed25519 AAAA bramble' }),
      pause: async (ms) => this.clock.advance(ms),
    });
  }

  /** Puts a board there, whose enrolment is over. */
  async add(board: Board = enrolledBoard()): Promise<void> {
    const operation = await this.begin('enrol', {}, board.name, board.id, board);
    await this.store.changeOperation(operation, { state: 'done', lookAt: null });
  }

  async begin(
    kind: NodeOperationKind,
    parameters: Partial<NodeOperationParameters> = {},
    node = 'node02',
    boardId: string | null = 'brd_1',
    board?: Board,
  ): Promise<NodeOperation> {
    const operation = {
      ...{
        id: idOf('op', (this.#count += 1)),
        about: 'node' as const,
        subject: node,
        boardId,
        kind,
        steps: [],
      },
      ...{ parameters: { reason: null, force: false, ...parameters }, createdAt: this.clock.now() },
    };
    if (board !== undefined) await this.store.insert(board, operation);
    else await this.store.begin(operation);
    return this.store.nodeOperation(operation.id);
  }

  /** One run; the operation as it is then. */
  async run({ id }: Pick<NodeOperation, 'id'>): Promise<NodeOperation> {
    await this.#runner.run(id);
    return this.store.nodeOperation(id);
  }
}

/** A step that is right from the beginning. */
export const rightStep = (name: string, fields: Partial<BoardStep> = {}): BoardStep => ({
  ...{ name, title: name, roles: null },
  check: () => ({ kind: 'right', detail: '' }),
  apply: async () => '',
  ...fields,
});
