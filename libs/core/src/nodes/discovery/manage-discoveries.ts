import { z } from 'zod';
import type { Clock, IdGenerator } from '../../vocabulary/clock.ts';
import { notFound, Problem } from '../../vocabulary/problem.ts';
import {
  type Discovery,
  type DiscoveryQueue,
  type DiscoveryResource,
  type DiscoveryStore,
  toDiscoveryResource,
} from './discovery.ts';
import { contains, formatRange, parseRange } from './ipv4-range.ts';

export const discoveryRequestSchema = z
  .strictObject({
    range: z
      .cidrv4('must be a range such as "10.0.0.0/24"')
      .optional()
      .describe(
        'Addresses to look at, in the subnet of the boards, /22 or smaller. Left out: the whole subnet.',
      ),
  })
  .default({})
  .meta({ id: 'DiscoveryRequest' });
export type DiscoveryRequest = z.output<typeof discoveryRequestSchema>;

export interface ManageDiscoveriesPorts {
  discoveries: DiscoveryStore;
  queue: DiscoveryQueue;
  ids: IdGenerator;
  clock: Clock;
  /** IPv4 subnet of the boards, in CIDR notation. */
  subnet: string;
}

/** 1,022 machines; asking more would overflow the neighbour table of a kernel with the usual settings. */
const LARGEST_PREFIX_LENGTH = 22;

/** What admins do with discoveries. The network is a worker's business. */
export class ManageDiscoveries {
  readonly #ports: ManageDiscoveriesPorts;

  constructor(ports: ManageDiscoveriesPorts) {
    this.#ports = ports;
  }

  /** @throws Problem `invalid_request` where the range is too large, or not in the subnet of the boards */
  async start({ range }: DiscoveryRequest): Promise<DiscoveryResource> {
    const { discoveries, queue, ids, clock, subnet } = this.#ports;
    const now = clock.now();
    const discovery: Discovery = {
      id: ids.next('dsc'),
      range: allowedRange(range ?? subnet, subnet),
      state: 'waiting',
      reason: null,
      found: [],
      lookAt: now,
      createdAt: now,
      startedAt: null,
      endedAt: null,
    };
    await discoveries.insert(discovery);
    // Its `lookAt` brings it to a worker even where this is lost.
    await queue.add(discovery.id).catch(() => {});
    return toDiscoveryResource(discovery);
  }

  /** @throws Problem `not_found` */
  async get(id: string): Promise<DiscoveryResource> {
    const discovery = await this.#ports.discoveries.find(id);
    if (discovery === undefined) throw notFound('discovery', id);
    return toDiscoveryResource(discovery);
  }
}

/**
 * @returns the range in the way it is usually written
 * @throws Problem `invalid_request`
 */
export function allowedRange(text: string, subnet: string): string {
  const range = parseRange(text);
  const whole = parseRange(subnet);
  if (range === undefined || whole === undefined) throw refused(`must be a range such as "10.0.0.0/24"`);
  if (!contains(whole, range))
    throw refused(`must be in the subnet of the boards, ${formatRange(whole)} (BRAMBLE_BOARD_SUBNET)`);
  if (range.prefixLength < LARGEST_PREFIX_LENGTH)
    throw refused(`must be /${LARGEST_PREFIX_LENGTH} or smaller: name a part of ${formatRange(whole)}`);
  return formatRange(range);
}

const refused = (message: string): Problem =>
  new Problem('invalid_request', 'The range is not one to be looked at.', {
    faults: [{ field: 'range', message }],
  });
