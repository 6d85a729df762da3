import { setTimeout as sleep } from 'node:timers/promises';
import type { Board, BoardPatch } from '#core/nodes/board';
import type { BoardConnector } from '#core/nodes/board-connection';
import type { BoardStep } from '#core/nodes/board-step';
import type { NodeOperation, NodeOperationKind, OperationOutput } from '#core/operations/operation';
import type { ManagedKey } from '#core/nodes/managed-key';
import { RunOperation } from '#core/nodes/run-operation';
import { sealSignIn } from '#core/nodes/sealed-sign-in';
import type { Site } from '#core/nodes/site';
import type { SlurmNodes } from '#core/nodes/slurm-nodes';
import type { SlurmController } from '#core/jobs/slurm-controller';
import { PROCEDURES } from '#core/nodes/steps/all-procedures';
import { generateManagedKey } from '#infra/boards/managed-key';
import { SshBoardConnector } from '#infra/boards/ssh-board-connector';
import { systemClock } from '#infra/identity/system-clock';
import { idOf } from '../../fakes/counting-ids.ts';
import { existing } from '../../fakes/existing.ts';
import { MemoryBoardStore } from '../../fakes/memory-board-store.ts';
import { plainSecretBox } from '../../fakes/plain-secret-box.ts';
import { SITE } from '../../fakes/site.ts';
import { ScriptedSlurmNodes } from '../../fakes/scripted-slurm-nodes.ts';
import type { Board as VirtualBoard } from '../../lab/boards/boards-lab.ts';

export interface StepsOnBoards {
  store: MemoryBoardStore;
  site: Site;
  slurm: { nodes: SlurmNodes; jobs: SlurmController };
  /** What signs in to boards that are enrolled. */
  managedKey: () => Promise<ManagedKey>;
  /** Enrols a virtual board with these steps after sign-in and facts, and returns the operation as it ended. */
  enrol(
    virtual: VirtualBoard,
    name: string,
    steps: readonly BoardStep[],
    fields?: BoardPatch,
  ): Promise<NodeOperation>;
  /** Runs steps on an enrolled board. */
  run(name: string, steps: readonly BoardStep[], kind?: NodeOperationKind): Promise<NodeOperation>;
  /** Runs an operation again that was interrupted. */
  goOn(operationId: string, steps: readonly BoardStep[]): Promise<NodeOperation>;
  /** What the steps of an operation have shown. */
  output(operation: NodeOperation): Promise<OperationOutput[]>;
}

/** Steps on virtual boards over real SSH, as the worker runs them, with a store in memory. */
export function stepsOnBoards(
  changes: Partial<Pick<StepsOnBoards, 'site' | 'slurm'> & { connector: BoardConnector }> = {},
): StepsOnBoards {
  const store = new MemoryBoardStore();
  const clock = systemClock;
  const managedKey = Promise.resolve(generateManagedKey('bramble'));
  const {
    site = SITE,
    slurm = new ScriptedSlurmNodes().ports,
    connector = new SshBoardConnector(),
  } = changes;
  let count = 0;

  async function toItsEnd(
    id: string,
    kind: NodeOperationKind,
    steps: readonly BoardStep[],
  ): Promise<NodeOperation> {
    const operations = new RunOperation({
      ...{ boards: store, connector, secrets: plainSecretBox, clock, site, slurm },
      managedKey: () => managedKey,
      procedures: { ...PROCEDURES, [kind === 'check' ? 'enrol' : kind]: steps },
      pause: sleep,
    });
    for (;;) {
      const next = await operations.run(id);
      if (next === undefined) return store.nodeOperation(id);
      await sleep(Math.min(next.afterMs, 1_000));
    }
  }

  const newOperation = (board: Pick<Board, 'id' | 'name'>, kind: NodeOperationKind) => ({
    ...{
      id: idOf('op', (count += 1)),
      about: 'node' as const,
      subject: board.name,
      boardId: board.id,
      kind,
      steps: [],
    },
    ...{ parameters: { reason: null, force: false }, createdAt: clock.now() },
  });

  return {
    store,
    site,
    slurm,
    managedKey: () => managedKey,
    async enrol(virtual, name, steps, fields = {}) {
      const id = idOf('brd', (count += 1));
      const secret = { password: virtual.password };
      const board: Board = {
        ...{ id, version: 1, name, address: virtual.address, sshPort: 22, signInUser: virtual.user },
        ...{ hostKeySha256: virtual.hostKeyFingerprint, roles: ['compute'], labels: {}, network: null },
        ...{ storage: null, trial: false, sealedSudoPassword: null, facts: null, factsAt: null },
        sealedSignIn: sealSignIn(id, { secret, sudoPassword: virtual.password }, plainSecretBox),
        createdAt: clock.now(),
        ...fields,
      };
      const operation = newOperation(board, 'enrol');
      const refused = await store.insert(board, operation);
      if (refused !== undefined) throw new Error(`the ${refused.taken} is taken`);
      return toItsEnd(operation.id, 'enrol', steps);
    },
    async run(name, steps, kind = 'enrol') {
      const board = existing(await store.findByName(name));
      const operation = existing(await store.begin(newOperation(board, kind)));
      return toItsEnd(operation.id, kind, steps);
    },
    goOn: (id, steps) => toItsEnd(id, 'enrol', steps),
    output: ({ id }) => store.outputAfter(id, 0, 100_000),
  };
}
