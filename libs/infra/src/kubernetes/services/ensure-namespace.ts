import { ApiRefusal } from './api-refusal.ts';
import type { ApiObject } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { isMissingRight } from './missing-right.ts';
import { Unanswerable } from './unanswerable.ts';

/**
 * Makes a namespace where it is missing, and puts labels on it; others that it has are left alone.
 * @throws ApiRefusal, and Unanswerable while a namespace of that name is being removed or where its labels may not be changed
 */
export async function ensureNamespace(
  api: ApiSession,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<true> {
  const path = `/api/v1/namespaces/${encodeURIComponent(name)}`;
  const live = await api.get<ApiObject>(path);
  if (live === undefined) {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    const answer = await api.call('/api/v1/namespaces', { method: 'POST', body });
    if (answer.status === 201) return true;
    // Somebody else was faster: its labels are still to be put on.
    if (answer.status !== 409) throw new ApiRefusal('POST', '/api/v1/namespaces', answer);
  }
  if (live?.metadata.deletionTimestamp !== undefined)
    throw new Unanswerable(
      `The namespace ${name} is being removed, and what is in it: try again when it is gone`,
    );
  const present = live?.metadata.labels ?? {};
  if (live !== undefined && Object.entries(labels).every(([key, value]) => present[key] === value))
    return true;
  const answer = await api.call(path, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body: { metadata: { labels } },
  });
  if (answer.status === 200) return true;
  const refusal = new ApiRefusal('PATCH', path, answer);
  throw isMissingRight(refusal) ? new Unanswerable(labelsMissing(name, labels)) : refusal;
}

/** They may be those of Pod Security: who may change them lets pods do what they could not. */
function labelsMissing(name: string, labels: Readonly<Record<string, string>>): string {
  const wanted = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
  return (
    `The namespace ${name} has not got the labels ${wanted}, and Bramble may not put them on (403). ` +
    `An admin does: kubectl label --overwrite namespace ${name} ${wanted}`
  );
}
