import { readStatus, type ApiRefusal } from './api-refusal.ts';

/** A right that somebody has not got. */
export interface MissingRight {
  /** As the API server knows him, such as `system:serviceaccount:bramble:worker`. */
  user: string;
  verb: string;
  /** With its group, such as `deployments.apps`; a path such as `/version` where it is no resource. */
  what: string;
  /** null for the whole cluster. */
  namespace: string | null;
}

/**
 * What the authorizer says: `pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace
 * "n"`. Admission refuses with 403 as well, and says something else.
 * @see https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go
 */
const SAID =
  /User "([^"]*)" cannot (\S+) (?:resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?|path "([^"]+)")/;

/** The first right that a text of the API server's says is missing; also where another program repeats it. */
export function missingRightIn(text: string): MissingRight | undefined {
  const said = SAID.exec(text);
  if (said === null) return undefined;
  const [, user = '', verb = '', resource, group = '', namespace = null, path = ''] = said;
  const what = resource === undefined ? path : `${resource}${group === '' ? '' : `.${group}`}`;
  return { user, verb, what, namespace };
}

/** Whether a role is missing, rather than something wrong with the object. */
export const isMissingRight = ({ code, body }: Pick<ApiRefusal, 'code' | 'body'>): boolean =>
  code === 403 && missingRightIn(readStatus(body).message) !== undefined;
