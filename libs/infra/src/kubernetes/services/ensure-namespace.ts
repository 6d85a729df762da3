import { ApiRefusal } from './api-refusal.ts';
import type { ApiObject } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { Unanswerable } from './unanswerable.ts';

/**
 * Makes a namespace where it is missing, and puts labels on it; others that it has are left alone.
 * @throws ApiRefusal, and Unanswerable while a namespace of that name is being removed
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
  if (answer.status !== 200) throw new ApiRefusal('PATCH', path, answer);
  return true;
}
