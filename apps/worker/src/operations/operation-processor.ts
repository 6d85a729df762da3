import { PUT_OFF_MS } from '#core/jobs/job-store';
import type { NextLook } from '#core/jobs/work-on-job';
import type { SubjectKind } from '#core/operations/operation';
import type { OperationStore } from '#core/operations/operation-store';
import type { Clock } from '#core/vocabulary/clock';

export interface OperationProcessorPorts {
  store: OperationStore;
  /** Who works on what. */
  runners: Readonly<Record<SubjectKind, { run(operationId: string): Promise<NextLook> }>>;
  clock: Clock;
}

/**
 * What a worker does with an entry of the queue of operations. While it is at it, the operation is put off again and
 * again, so that the sweeper gives it to nobody else; when this process dies, that ends, and somebody else takes over.
 */
export function operationProcessor({ store, runners, clock }: OperationProcessorPorts) {
  return async ({ operationId }: { operationId: string }): Promise<void> => {
    const about = (await store.findOperation(operationId))?.about;
    if (about === undefined) return;
    const putOff = (ms: number) => store.putOffOperation(operationId, new Date(clock.now().getTime() + ms));
    await putOff(PUT_OFF_MS);
    const stillAtIt = setInterval(() => {
      putOff(PUT_OFF_MS).catch(() => {});
    }, PUT_OFF_MS / 2);
    try {
      const next = await runners[about].run(operationId);
      if (next !== undefined) await putOff(next.afterMs);
    } finally {
      clearInterval(stillAtIt);
    }
  };
}
