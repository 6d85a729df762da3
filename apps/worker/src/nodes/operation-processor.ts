import { PUT_OFF_MS } from '#core/jobs/job-store';
import type { BoardStore } from '#core/nodes/board-store';
import type { RunOperation } from '#core/nodes/run-operation';
import type { Clock } from '#core/vocabulary/clock';

export interface OperationProcessorPorts {
  operations: RunOperation;
  boards: BoardStore;
  clock: Clock;
}

/**
 * What a worker does with an entry of the queue of operations. While it is at it, the operation is put off again and
 * again, so that the sweeper gives it to nobody else; when this process dies, that ends, and somebody else takes over.
 */
export function operationProcessor({ operations, boards, clock }: OperationProcessorPorts) {
  return async ({ operationId }: { operationId: string }): Promise<void> => {
    const putOff = (ms: number) => boards.putOffOperation(operationId, new Date(clock.now().getTime() + ms));
    await putOff(PUT_OFF_MS);
    const stillAtIt = setInterval(() => {
      putOff(PUT_OFF_MS).catch(() => {});
    }, PUT_OFF_MS / 2);
    try {
      const next = await operations.run(operationId);
      if (next !== undefined) await putOff(next.afterMs);
    } finally {
      clearInterval(stillAtIt);
    }
  };
}
