import { z } from 'zod';
import {
  isOver,
  type NodeOperation,
  NODE_OPERATION_KINDS,
  type OperationPatch,
} from '../../operations/operation.ts';
import { differing } from './drift.ts';

const NODE_EVENT_TYPES = ['enrolled', 'forgotten', 'operation', 'health', 'restarted', 'slurm'] as const;

/** Something that happened to a node. */
export const nodeEventSchema = z
  .object({
    seq: z.int().positive().describe('Grows with every event, with gaps.'),
    at: z.iso.datetime(),
    type: z
      .enum(NODE_EVENT_TYPES)
      .describe(
        "`enrolled`, `forgotten`: it became a board of Bramble's, or is none any more. `operation`: one has ended. " +
          '`health`: its state or the reasons changed. `restarted`: it runs since another start. `slurm`: Slurm sees it ' +
          'otherwise, whoever caused it.',
      ),
    state: z
      .string()
      .nullable()
      .describe(
        "The operation's or the health's state, or for Slurm `joined`, `left`, `drained`, `resumed`, `down` or `up`.",
      ),
    detail: z.string().nullable().describe('In words.'),
    operation: z.object({ id: z.string(), kind: z.enum(NODE_OPERATION_KINDS) }).nullable(),
  })
  .meta({ id: 'NodeEvent' });
export type NodeEventResource = z.output<typeof nodeEventSchema>;

export interface NodeEvent extends Omit<NodeEventResource, 'at'> {
  at: Date;
}
/** An event before it is stored. */
export interface NewNodeEvent extends Omit<NodeEvent, 'seq'> {
  /** Name of the node. */
  node: string;
}

/** What happened to nodes. Of each node the last 500 events are kept, or some more. */
export interface NodeEvents {
  record(event: NewNodeEvent): Promise<void>;
  /** Those behind `seq`, oldest first; of more than `limit` the newest. */
  after(node: string, seq: number, limit: number): Promise<NodeEvent[]>;
  /** Forgets all but the newest 500 of each node. */
  trim(): Promise<void>;
}

export const KEPT_EVENTS = 500;

export const toNodeEventResource = (event: NodeEvent): NodeEventResource => ({
  ...event,
  at: event.at.toISOString(),
});

/**
 * What a change of an operation means for its node.
 * @returns undefined where the operation is not over yet, and for looks that have found nothing
 */
export function operationEvent(
  operation: NodeOperation,
  patch: OperationPatch,
): Omit<NewNodeEvent, 'at'> | undefined {
  const { id, subject: node, kind } = operation;
  const { state, steps, reason } = { ...operation, ...patch };
  if (patch.state === undefined || !isOver(state) || kind === 'plan') return undefined;
  const differ = differing({ steps });
  if (kind === 'check' && state === 'done' && differ.length === 0) return undefined;
  const detail = reason?.message ?? (differ.length === 0 ? null : `differs: ${differ.join(', ')}`);
  return { node, type: 'operation', state, detail, operation: { id, kind } };
}
