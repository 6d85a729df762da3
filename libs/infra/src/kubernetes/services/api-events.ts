import type { ApiSession } from './api-session.ts';
import { listPathOf } from './locate.ts';

/** An event as `v1` has it; those of `events.k8s.io/v1` are the same objects. */
export interface ApiEvent {
  metadata: { name: string; creationTimestamp?: string };
  involvedObject: {
    apiVersion?: string;
    kind?: string;
    namespace?: string;
    name?: string;
    uid?: string;
    /** Such as `spec.containers{web}`. */
    fieldPath?: string;
  };
  type?: string;
  reason?: string;
  message?: string;
  count?: number;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  /** Of newer reporters, such as the scheduler, which leave the two before empty. */
  eventTime?: string | null;
  series?: { count?: number; lastObservedTime?: string };
}

/** When and how often something was seen. */
export interface Sighting {
  firstAt: Date;
  lastAt: Date;
  count: number;
}

export function sightingOf(event: ApiEvent): Sighting {
  const { metadata, firstTimestamp, lastTimestamp, eventTime, series, count } = event;
  const made = eventTime ?? metadata.creationTimestamp ?? 0;
  return {
    firstAt: new Date(firstTimestamp ?? made),
    lastAt: new Date(series?.lastObservedTime ?? lastTimestamp ?? firstTimestamp ?? made),
    count: series?.count ?? count ?? 1,
  };
}

/**
 * @param fieldSelector such as `type=Warning`
 * @throws ApiRefusal
 */
export const listEvents = (api: ApiSession, namespace: string, fieldSelector?: string): Promise<ApiEvent[]> =>
  api.list<ApiEvent>(listPathOf('v1', 'events', namespace), {
    query: fieldSelector === undefined ? {} : { fieldSelector },
  });
