import type { NodeEvent } from '#core/nodes/inventory/node-event';
import { countedKey, instant, optionalJson, optionalText, text } from './column-types.ts';
import { defineTable } from './define-table.ts';

export interface NodeEventRow {
  seq: string;
  node: string;
  at: Date;
  type: NodeEvent['type'];
  state: string | null;
  detail: string | null;
  operation: NodeEvent['operation'];
}

/** What happened to nodes, also to those that are gone. */
export const nodeEventsTable = defineTable<NodeEventRow>({
  name: 'node_events',
  columns: {
    seq: countedKey('node_events_pkey'),
    node: text,
    at: instant,
    type: text,
    state: optionalText,
    detail: optionalText,
    operation: optionalJson,
  },
  indices: [{ name: 'node_events_newest', columns: ['node', 'seq'] }],
});
