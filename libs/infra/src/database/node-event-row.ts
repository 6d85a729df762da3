import type { NewNodeEvent, NodeEvent } from '#core/nodes/inventory/node-event';
import { storableJson, storableText } from './storable-text.ts';
import type { SqlParameters } from './sql-text.ts';
import type { NodeEventRow } from './tables/node-events.ts';

/**
 * An INSERT of one event, for a statement of its own or beside the change that it tells of.
 * @param source where the event is only written if this has a row: a part of the same statement
 */
export function insertEvent(event: NewNodeEvent, parameters: SqlParameters, source?: string): string {
  const values = [
    `${parameters.add(storableText(event.node))}::text`,
    `${parameters.add(event.at)}::timestamptz`,
    `${parameters.add(event.type)}::text`,
    `${parameters.add(storable(event.state))}::text`,
    `${parameters.add(storable(event.detail))}::text`,
    `${parameters.add(storableJson(event.operation))}::jsonb`,
  ];
  return (
    `INSERT INTO node_events (node, at, type, state, detail, operation) SELECT ${values.join(', ')}` +
    (source === undefined ? '' : ` FROM ${source}`)
  );
}

const storable = (text: string | null): string | null => (text === null ? null : storableText(text));

export function toNodeEvent(row: NodeEventRow): NodeEvent {
  const { at, type, state, detail, operation } = row;
  return { seq: Number(row.seq), at, type, state, detail, operation };
}
