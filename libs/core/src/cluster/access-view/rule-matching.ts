import type { RbacRule } from './rbac.ts';

/** What is asked about. What is null is not asked about: anything will do. */
export interface Deed {
  verb: string | null;
  target: DeedTarget | null;
}

export interface DeedTarget {
  /** API groups that have the resource; '' is the core's. */
  groups: readonly string[];
  /** Plural, without subresource. */
  resource: string;
  /** Such as `log` of `pods/log`. */
  subresource: string | null;
  /** Whether its objects are in namespaces. */
  namespaced: boolean;
}

/** What is asked of all namespaces at once, so that a binding in one of them never allows it of themselves. */
const OF_ALL_NAMESPACES = new Set(['create', 'list', 'watch', 'deletecollection']);

/**
 * Whether a binding in a namespace can allow it at all. Objects outside of namespaces are for cluster-wide bindings; but
 * a namespace itself counts as being inside.
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go
 */
export function isInNamespace({ verb, target }: Deed): boolean {
  if (target === null || target.namespaced) return true;
  const isNamespace = target.resource === 'namespaces' && target.groups.includes('');
  return isNamespace && (verb === null || !OF_ALL_NAMESPACES.has(verb));
}

/** Verbs that are decided before there is a name, so that a rule with names never allows them. */
const NAMELESS = new Set(['create', 'deletecollection']);

/**
 * Whether a rule allows it, for some object at least: as the API server's authorizer decides.
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/apis/rbac/v1/evaluation_helpers.go
 */
export function allows(rule: RbacRule, { verb, target }: Deed): boolean {
  return (
    (verb === null || rule.verbs.some((one) => one === '*' || one === verb)) &&
    (target === null || coversTarget(rule, target)) &&
    !needsNoName(rule, verb, target)
  );
}

function coversTarget(rule: RbacRule, { groups, resource, subresource }: DeedTarget): boolean {
  return (
    rule.apiGroups.some((group) => group === '*' || groups.includes(group)) &&
    rule.resources.some((one) => coversResource(one, resource, subresource))
  );
}

/** `pods` does not cover `pods/log`. The only patterns are a single star, and a star before a subresource. */
function coversResource(ofRule: string, resource: string, subresource: string | null): boolean {
  if (ofRule === '*') return true;
  if (subresource === null) return ofRule === resource;
  return ofRule === `${resource}/${subresource}` || ofRule === `*/${subresource}`;
}

function needsNoName(rule: RbacRule, verb: string | null, target: DeedTarget | null): boolean {
  if (verb === null || rule.resourceNames.length === 0) return false;
  // A subresource is created of an object that has its name.
  if (verb === 'create' && target !== null && target.subresource !== null) return false;
  return NAMELESS.has(verb);
}
