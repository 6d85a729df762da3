import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../atomic-file.ts';

/** Whom the API server was asked by, and what for, in a file of the lab. */
const LOG = 'audit.log';
const POLICY = 'audit-policy.json';

/**
 * Who asks, what for, and whether it was allowed; nothing of what is sent. A watch is told when it begins: it may never
 * end.
 */
const POLICY_CONTENT = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
};

/** Options of the API server with which it writes down what service accounts ask. */
export function auditOptions(directory: string): string[] {
  const policy = join(directory, POLICY);
  writeFileAtomically(policy, `${JSON.stringify(POLICY_CONTENT)}\n`, 0o644);
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${join(directory, LOG)}`];
}

/** A right that somebody has made use of, or wanted to. */
export interface UsedRight {
  verb: string;
  /** '' for the core's. */
  apiGroup: string;
  /** Such as `pods` or `pods/log`; a path such as `/version` where it is no resource. */
  resource: string;
  /** null where it was asked for all of them, and where there are none. */
  namespace: string | null;
  /** null where it was asked for all of them, and where the server makes the name up. */
  name: string | null;
  decision: 'allow' | 'forbid';
}

interface AuditEvent {
  user: { username: string };
  verb: string;
  requestURI: string;
  objectRef?: {
    apiGroup?: string;
    resource?: string;
    subresource?: string;
    namespace?: string;
    name?: string;
  };
  responseStatus?: { code?: number };
  annotations?: Readonly<Record<string, string>>;
}

/**
 * The rights that a user has made use of since the lab was made, in order, each as often as it was.
 * @param user such as `system:serviceaccount:bramble:worker`
 */
export function usedRights({ dir }: { dir: string }, user: string): UsedRight[] {
  const file = join(dir, LOG);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter((event) => event.user.username === user)
    .flatMap(rightsOf);
}

function rightsOf({ verb, requestURI, objectRef, responseStatus, annotations }: AuditEvent): UsedRight[] {
  const { apiGroup = '', resource, subresource, namespace, name } = objectRef ?? {};
  const path = requestURI.replace(/\?.*/, '');
  const right: UsedRight = {
    ...{ verb, apiGroup, namespace: namespace ?? null, name: name ?? null },
    resource:
      resource === undefined ? path : `${resource}${subresource === undefined ? '' : `/${subresource}`}`,
    decision: annotations?.['authorization.k8s.io/decision'] === 'allow' ? 'allow' : 'forbid',
  };
  // Server-side apply of what is not there asks for `create` as well, behind the first decision and so without an event
  // of its own: apiserver/pkg/endpoints/handlers/patch.go, `createAuthorizerAttributes`.
  const creates = verb === 'patch' && responseStatus?.code === 201;
  return creates ? [right, { ...right, verb: 'create' }] : [right];
}
