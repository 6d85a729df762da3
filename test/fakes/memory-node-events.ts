import {
  KEPT_EVENTS,
  type NewNodeEvent,
  type NodeEvent,
  type NodeEvents,
} from '#core/nodes/inventory/node-event';

/** Events of nodes in memory. */
export class MemoryNodeEvents implements NodeEvents {
  #events: (NewNodeEvent & NodeEvent)[] = [];
  #seq = 0;

  async record(event: NewNodeEvent): Promise<void> {
    this.#seq += 1;
    this.#events.push({ ...structuredClone(event), seq: this.#seq });
  }

  async after(node: string, seq: number, limit: number): Promise<NodeEvent[]> {
    return this.#events
      .filter((event) => event.node === node && event.seq > seq)
      .slice(-limit)
      .map(({ node: _, ...event }) => structuredClone(event));
  }

  async trim(): Promise<void> {
    this.#events = this.#events.filter((event, index) => {
      const later = this.#events.slice(index + 1).filter(({ node }) => node === event.node);
      return later.length < KEPT_EVENTS;
    });
  }
}
