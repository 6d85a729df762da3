import { isOver, type Operation, type OperationOutput } from './operation.ts';
import type { OperationStore } from './operation-store.ts';

export type OperationChange =
  | { kind: 'progress'; operation: Operation }
  | { kind: 'output'; output: OperationOutput };

export interface WatchOperationPorts {
  operations: OperationStore;
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

const LOOK_AGAIN_MS = 300;
const PIECES_AT_ONCE = 200;

/** How far an operation has come, each time it has changed, and what its steps show, until it is over. */
export async function* watchOperation(
  { operations, pause }: WatchOperationPorts,
  operationId: string,
  { afterSeq, signal }: { afterSeq: number; signal: AbortSignal },
): AsyncGenerator<OperationChange> {
  let version = 0;
  let seq = afterSeq;
  while (!signal.aborted) {
    const operation = await operations.findOperation(operationId);
    if (operation === undefined) return;
    // What was shown before the change is told before it: read after the change was seen, it is all there.
    const output = await operations.outputAfter(operationId, seq, PIECES_AT_ONCE);
    for (const one of output) {
      yield { kind: 'output', output: one };
      seq = one.seq;
    }
    if (output.length === PIECES_AT_ONCE) continue;
    if (operation.version > version) yield { kind: 'progress', operation };
    version = operation.version;
    if (isOver(operation.state)) return;
    await pause(LOOK_AGAIN_MS, signal);
  }
}
