import type { ClusterObservations } from '../../cluster/cluster.ts';
import { notFound } from '../../vocabulary/problem.ts';
import { type BoardInventory, LOOKS } from './board-inventory.ts';
import { mergeNodes } from './merge-nodes.ts';
import { type NodeEventResource, type NodeEvents, toNodeEventResource } from './node-event.ts';
import type { NodeList, ObservedNode } from './node-resource.ts';

export interface ReadNodesPorts {
  observations: ClusterObservations;
  inventory: BoardInventory;
  events: NodeEvents;
}

const MOST_EVENTS = 500;

/** What there is to know of the machines of the cluster, for everybody who may read nodes. */
export class ReadNodes {
  readonly #ports: ReadNodesPorts;

  constructor(ports: ReadNodesPorts) {
    this.#ports = ports;
  }

  async list(): Promise<NodeList> {
    const { observations, inventory } = this.#ports;
    const [latest, boards, lastLooks, kubernetes] = await Promise.all([
      observations.latest(),
      inventory.list(),
      inventory.lastEnded(LOOKS),
      observations.latestKubernetes(),
    ]);
    return {
      items: mergeNodes(latest?.snapshot.nodes ?? [], boards, lastLooks, kubernetes),
      observedAt: latest?.observedAt.toISOString() ?? null,
    };
  }

  /** @throws Problem `not_found` */
  async find(name: string): Promise<ObservedNode> {
    const { items, observedAt } = await this.list();
    const node = items.find((candidate) => candidate.name === name);
    if (node === undefined) throw notFound('node', name);
    return { ...node, observedAt };
  }

  /**
   * What happened to a node, newest last; also to one that is gone.
   * @param afterSeq only events behind this one
   * @throws Problem `not_found` where there is no such node, and never was
   */
  async events(name: string, afterSeq: number): Promise<NodeEventResource[]> {
    const { events } = this.#ports;
    const found = await events.after(name, afterSeq, MOST_EVENTS);
    if (found.length === 0 && (await events.after(name, 0, 1)).length === 0) await this.find(name);
    return found.map(toNodeEventResource);
  }
}
