import type { RbacSubject } from './rbac.ts';

const SERVICE_ACCOUNT = 'system:serviceaccount:';
const EVERYBODY = 'system:authenticated';

/**
 * Reads who is asked about, and says which subjects of bindings mean them.
 *
 * - `user:NAME` and `group:NAME`; a user is in the group of all who are authenticated as well
 * - `serviceaccount:NAMESPACE/NAME`, or the user name that it has, `system:serviceaccount:NAMESPACE:NAME`: with the
 *   groups that every service account is in
 * - anything else is the bare name of a subject of whatever kind
 */
export function meansSubject(asked: string): (subject: RbacSubject) => boolean {
  const account = readServiceAccount(asked);
  if (account !== undefined) return (subject) => meansServiceAccount(subject, account);
  if (asked.startsWith('user:')) {
    const user = asked.slice('user:'.length);
    return ({ kind, name }) => (kind === 'User' && name === user) || (kind === 'Group' && name === EVERYBODY);
  }
  if (asked.startsWith('group:')) {
    const group = asked.slice('group:'.length);
    return ({ kind, name }) => kind === 'Group' && name === group;
  }
  return ({ name }) => name === asked;
}

interface ServiceAccount {
  namespace: string;
  name: string;
}

function readServiceAccount(asked: string): ServiceAccount | undefined {
  const [, namespace, name] =
    /^(?:serviceaccount:([^/]+)\/(.+))$/.exec(asked) ??
    /^system:serviceaccount:([^:]+):(.+)$/.exec(asked) ??
    [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

function meansServiceAccount(subject: RbacSubject, { namespace, name }: ServiceAccount): boolean {
  switch (subject.kind) {
    case 'ServiceAccount':
      return subject.name === name && subject.namespace === namespace;
    case 'User':
      return subject.name === `${SERVICE_ACCOUNT}${namespace}:${name}`;
    case 'Group':
      return [EVERYBODY, 'system:serviceaccounts', `system:serviceaccounts:${namespace}`].includes(
        subject.name,
      );
  }
}
