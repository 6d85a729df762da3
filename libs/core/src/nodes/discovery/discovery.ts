import { z } from 'zod';
import { type Reason, reasonSchema } from '../../jobs/job.ts';
import type { Vendor } from './vendor.ts';

export const DISCOVERY_STATES = ['waiting', 'running', 'done', 'failed'] as const;
export type DiscoveryState = (typeof DISCOVERY_STATES)[number];

/** A machine that was found. */
export const foundMachineSchema = z
  .object({
    address: z.string(),
    mac: z
      .string()
      .nullable()
      .describe('From the neighbour table of the worker; null where the worker is on another network.'),
    vendor: z
      .literal('Raspberry Pi' satisfies Vendor)
      .nullable()
      .describe('By the first half of the MAC address; null for everybody else.'),
    sshBanner: z.string().nullable().describe('What port 22 says first; null where no SSH server is.'),
    hostKeySha256: z
      .string()
      .nullable()
      .describe(
        'Fingerprint that it shows. Whoever answers there may show any: compare it before it is pinned.',
      ),
    enrolledAs: z
      .string()
      .nullable()
      .describe('The board that has this address, or else the one with this host key.'),
  })
  .meta({ id: 'FoundMachine' });
export type FoundMachine = z.output<typeof foundMachineSchema>;

export const discoveryResourceSchema = z
  .object({
    id: z.string(),
    range: z.string(),
    state: z.enum(DISCOVERY_STATES),
    finished: z.boolean(),
    reason: reasonSchema.nullable().describe('Why it failed.'),
    found: z.array(foundMachineSchema).describe('In order of address; empty until it is done.'),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Discovery' });
export type DiscoveryResource = z.output<typeof discoveryResourceSchema>;

/** A look at all addresses of a range. */
export interface Discovery {
  id: string;
  range: string;
  state: DiscoveryState;
  reason: Reason | null;
  found: FoundMachine[];
  /** When a worker should look at it again; null once it is over. */
  lookAt: Date | null;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
}
export type DiscoveryPatch = Partial<Omit<Discovery, 'id' | 'range' | 'createdAt'>>;

export interface DiscoveryStore {
  insert(discovery: Discovery): Promise<void>;
  find(id: string): Promise<Discovery | undefined>;
  /** Only one that is not over. @returns whether it was */
  change(id: string, patch: DiscoveryPatch): Promise<boolean>;
  /** Those whose `lookAt` has come, each put off. */
  takeDue(now: Date, putOffUntil: Date, limit: number): Promise<Discovery[]>;
  /** Forgets those that were made before. */
  removeOld(before: Date): Promise<void>;
}

/** The way from "this discovery wants attention" to a worker. Delivery may be lost or doubled; the database tells. */
export interface DiscoveryQueue {
  /** @throws where the queue cannot be reached; the sweeper finds the discovery by its `lookAt` all the same */
  add(discoveryId: string): Promise<void>;
}

export const isDiscovered = (state: DiscoveryState): boolean => state === 'done' || state === 'failed';

export function toDiscoveryResource(discovery: Discovery): DiscoveryResource {
  const { id, range, state, reason, found, createdAt, startedAt, endedAt } = discovery;
  return {
    ...{ id, range, state, finished: isDiscovered(state), reason, found },
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
  };
}
