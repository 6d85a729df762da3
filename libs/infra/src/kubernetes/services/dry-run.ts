import type { ReleaseName } from '#core/services/helm-releases';
import type { FieldChange } from '#core/services/service-objects';
import type { ApiObject } from './api-object.ts';
import { ApiRefusal, readStatus } from './api-refusal.ts';
import type { ApiSession } from './api-session.ts';
import { isMissingRight } from './missing-right.ts';
import { fieldChanges, hideValues } from './field-changes.ts';
import { HELM_MANAGER, marked } from './helm-ownership.ts';

/** What the API server says of an object that Helm would apply. */
export type DryRun =
  | { kind: 'applied'; object: ApiObject }
  /** Fields that others own: each with who it is. */
  | { kind: 'conflict'; fields: { path: string; manager: string }[] }
  /** Its namespace is not there yet. */
  | { kind: 'nowhere' }
  | { kind: 'refused'; message: string };

/** Answered with 500, and the real thing would be as well: a webhook that is away, and fields that no schema has. */
const FATAL = /webhook|failed to create typed patch object/;

/** What the API server itself writes, and what is no wish of anybody's. */
const OWN_METADATA: readonly string[] = [
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'selfLink',
];

/**
 * Applies an object without changing anything, as Helm 4 would: by server-side apply, with its name and its strictness.
 * @throws ApiRefusal where the API server could not be asked, or the right is missing
 */
export async function dryRun(
  api: ApiSession,
  path: string,
  object: ApiObject,
  release: ReleaseName,
  force: boolean,
): Promise<DryRun> {
  const answer = await api.call(path, {
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    query: { dryRun: 'All', fieldManager: HELM_MANAGER, fieldValidation: 'Strict', force },
    body: marked(object, release),
  });
  const { status, text } = answer;
  if (status === 200 || status === 201) return { kind: 'applied', object: JSON.parse(text) as ApiObject };
  if (status === 404) return { kind: 'nowhere' };
  const refusal = new ApiRefusal('PATCH', path, answer);
  const { message, causes } = readStatus(text);
  const conflicts = causes.filter((cause) => cause.reason === 'FieldManagerConflict');
  if (status === 409 && conflicts.length > 0) {
    return {
      kind: 'conflict',
      fields: conflicts.map((cause) => ({
        path: (cause.field ?? '').replace(/^\./, ''),
        manager: /conflict with "([^"]*)"/.exec(cause.message ?? '')?.[1] ?? 'somebody',
      })),
    };
  }
  const isOfTheObject = status >= 400 && status < 500 && status !== 401 && status !== 429;
  const isOfServer = status === 500 && FATAL.test(message);
  if (!isMissingRight(refusal) && (isOfTheObject || isOfServer)) return { kind: 'refused', message };
  throw refusal;
}

/** Fields in which an object differs from what it would become; those of Secrets without what is in them. */
export function objectChanges(before: ApiObject, after: ApiObject): FieldChange[] {
  const changes = fieldChanges(withoutOwn(before), withoutOwn(after));
  return before.kind === 'Secret' && before.apiVersion === 'v1' ? hideValues(changes) : changes;
}

function withoutOwn({ metadata, ...object }: ApiObject): object {
  const fields = Object.entries(object).filter(([key]) => key !== 'status');
  const kept = Object.entries(metadata).filter(([key]) => !OWN_METADATA.includes(key));
  return { ...Object.fromEntries(fields), metadata: Object.fromEntries(kept) };
}
