import { describeCallFailure } from '../kubernetes-failure.ts';
import { ApiRefusal, readStatus } from './api-refusal.ts';

/**
 * What the authorizer says: `pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace
 * "n"`. Admission refuses with 403 as well, and says something else.
 * @see https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go
 */
const MISSING_RIGHT =
  /User "([^"]*)" cannot (\S+) (?:resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?|path "([^"]+)")/;

/** Whether a role is missing, rather than something wrong with the object. */
export function isMissingRight({ code, body }: Pick<ApiRefusal, 'code' | 'body'>): boolean {
  return code === 403 && MISSING_RIGHT.test(readStatus(body).message);
}

/** Why the API server could not be asked, in words for an admin, with the right that is missing. */
export function describeFailure(server: string, error: unknown): string {
  if (error instanceof ApiRefusal && error.code === 403) {
    const { message } = readStatus(error.body);
    const missing = MISSING_RIGHT.exec(message);
    return missing === null
      ? `The API server ${server} does not allow it (403): ${message}`
      : `The API server ${server} does not allow it (403): ${describeRight(missing)}`;
  }
  return describeCallFailure(server, error).message;
}

function describeRight([, user = '', verb = '', resource, group, namespace, path]: RegExpExecArray): string {
  const what =
    resource === undefined
      ? `the path ${path ?? ''}`
      : group === undefined || group === ''
        ? resource
        : `${resource}.${group}`;
  const where = namespace === undefined ? 'in the whole cluster' : `in the namespace ${namespace}`;
  const scope = resource === undefined ? '' : ` ${where}`;
  return `${user} may not ${verb} ${what}${scope}. Bind a role that has the verb "${verb}" for ${what}${scope}.`;
}
