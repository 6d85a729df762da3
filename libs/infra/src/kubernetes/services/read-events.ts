import type { ReleaseName } from '#core/services/helm-releases';
import type { ObjectRef, ServiceEvent } from '#core/services/service-objects';
import { type ApiEvent, listEvents, sightingOf } from './api-events.ts';
import { groupOf } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { locateAll } from './locate-all.ts';
import { withOwned } from './owned-objects.ts';

/** The newest; the API server forgets them after an hour. */
const MAX_EVENTS = 500;
/** Owners that name their pods after themselves: a pod that is gone is known by its name alone. */
const NAME_GIVERS: readonly string[] = ['ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job'];

/**
 * Events of the objects of a release, and of what they own, newest first; those of one object with one reason are one.
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function readEvents(
  api: ApiSession,
  release: ReleaseName,
  manifest: string,
): Promise<ServiceEvent[]> {
  const refs = (await locateAll(api, release, manifest)).map(({ ref }) => ref);
  const namespaces = new Set(refs.flatMap(({ namespace }) => namespace ?? []));
  const events = await Promise.all(
    [...namespaces].map(async (namespace) => {
      const [own, all] = await Promise.all([
        withOwned(
          api,
          namespace,
          refs.filter((ref) => ref.namespace === namespace),
        ),
        listEvents(api, namespace),
      ]);
      return mergeEvents(all, own, namespace);
    }),
  );
  return events
    .flat()
    .sort((a, b) => b.at.getTime() - a.at.getTime())
    .slice(0, MAX_EVENTS);
}

/** @param own objects whose events count */
export function mergeEvents(
  events: readonly ApiEvent[],
  own: readonly ObjectRef[],
  namespace: string,
): ServiceEvent[] {
  const names = new Set(own.map(({ apiVersion, kind, name }) => `${groupOf(apiVersion)}/${kind}/${name}`));
  const prefixes = own.filter(({ kind }) => NAME_GIVERS.includes(kind)).map(({ name }) => `${name}-`);
  const isOwn = ({ involvedObject: { apiVersion = '', kind = '', name = '' } }: ApiEvent): boolean =>
    names.has(`${groupOf(apiVersion)}/${kind}/${name}`) ||
    (kind === 'Pod' && prefixes.some((prefix) => name.startsWith(prefix)));
  const groups = Map.groupBy(events.filter(isOwn), ({ type, reason, involvedObject }) =>
    [type, reason, involvedObject.kind, involvedObject.name].join('|'),
  );
  return [...groups.values()].flatMap((group) => {
    const seen = group.map((event) => ({ event, ...sightingOf(event) }));
    const [newest] = seen.toSorted((a, b) => b.lastAt.getTime() - a.lastAt.getTime());
    if (newest === undefined) return [];
    const { type, reason = '', message = '', involvedObject } = newest.event;
    const { apiVersion = '', kind = '', name = '' } = involvedObject;
    return [
      {
        at: newest.lastAt,
        type: type === 'Warning' ? 'Warning' : 'Normal',
        code: reason,
        message,
        object: { apiVersion, kind, namespace, name },
        count: seen.reduce((sum, { count }) => sum + count, 0),
      },
    ];
  });
}
