import type { AccessGrant, AccessRule } from './access-resource.ts';
import { type NamespaceRbac, type RbacBinding, type RbacRole, type RbacRule, selects } from './rbac.ts';
import { allows, type Deed, isInNamespace } from './rule-matching.ts';
import { meansSubject } from './subject-matching.ts';

export interface AccessQuestion extends Deed {
  /** Undefined: everybody. */
  subject: string | undefined;
  /** Whether bindings of Kubernetes' own parts are among the answers. */
  system: boolean;
}

/**
 * Who may do what in a namespace, and by which binding: one grant for each subject of each binding that reaches it.
 * Bindings to a role that is missing are told as long as no deed is asked about: they allow nothing.
 */
export function viewAccess(
  rbac: NamespaceRbac,
  question: AccessQuestion,
): { items: AccessGrant[]; systemLeftOut: number } {
  const shown = rbac.bindings.filter((binding) => question.system || !isSystemBinding(binding));
  return {
    items: shown.flatMap((binding) => grantsOf(binding, rbac.roles, question)).sort(byScopeAndName),
    systemLeftOut: rbac.bindings.length - shown.length,
  };
}

function grantsOf(
  { kind, name, role: wanted, subjects }: RbacBinding,
  roles: readonly RbacRole[],
  question: AccessQuestion,
): AccessGrant[] {
  if (kind === 'RoleBinding' && !isInNamespace(question)) return [];
  const role = roles.find((one) => one.kind === wanted.kind && one.name === wanted.name);
  const rules = role === undefined ? [] : rulesOf(role, roles).filter((rule) => allows(rule, question));
  const nothingAsked = question.verb === null && question.target === null;
  if (rules.length === 0 && (role !== undefined || !nothingAsked)) return [];
  const means = question.subject === undefined ? () => true : meansSubject(question.subject);
  return subjects.filter(means).map((subject) => ({
    subject: { ...subject },
    binding: { kind, name },
    role: { ...wanted, missing: role === undefined, aggregated: (role?.aggregates ?? null) !== null },
    rules,
  }));
}

function rulesOf(role: RbacRole, roles: readonly RbacRole[]): AccessRule[] {
  const { aggregates } = role;
  const sources =
    aggregates === null
      ? []
      : roles.filter(
          (one) =>
            one.kind === 'ClusterRole' &&
            one.name !== role.name &&
            aggregates.some((selector) => selects(selector, one.labels)),
        );
  // Rules about URLs alone, such as /healthz, are about no namespace.
  return role.rules
    .filter(({ resources }) => resources.length > 0)
    .map((rule) => ({ ...copyOf(rule), from: sourceOf(rule, sources, roles) }));
}

/** The role that has it itself, rather than one on the way: `admin` gathers from `edit`, which gathers from others. */
function sourceOf(rule: RbacRule, sources: readonly RbacRole[], roles: readonly RbacRole[]): string | null {
  const having = sources.filter(({ rules }) => rules.some((one) => isSameRule(one, rule)));
  const own = having.find(({ aggregates }) => aggregates === null);
  if (own !== undefined) return own.name;
  const [through] = having;
  const aggregates = through?.aggregates ?? null;
  if (through === undefined || aggregates === null) return null;
  const origin = roles.find(
    (one) =>
      one.aggregates === null &&
      aggregates.some((selector) => selects(selector, one.labels)) &&
      one.rules.some((candidate) => isSameRule(candidate, rule)),
  );
  return (origin ?? through).name;
}

const copyOf = ({ verbs, apiGroups, resources, resourceNames }: RbacRule) => ({
  verbs: [...verbs],
  apiGroups: [...apiGroups],
  resources: [...resources],
  resourceNames: [...resourceNames],
});

const isSameRule = (a: RbacRule, b: RbacRule): boolean =>
  JSON.stringify(copyOf(a)) === JSON.stringify(copyOf(b));

const BOOTSTRAP_LABEL = 'kubernetes.io/bootstrapping';
/** Groups of whoever comes along. */
const EVERYBODY = /^system:(authenticated|unauthenticated|serviceaccounts(:.*)?)$/;
/** What the API server gives everybody at its start: to see its version, its kinds and what one may do oneself. */
const FOR_EVERYBODY = new Set([
  'system:basic-user',
  'system:discovery',
  'system:public-info-viewer',
  'system:service-account-issuer-discovery',
]);

/**
 * Whether a binding is made by Kubernetes for its own parts. One in whose subjects somebody has put a person, or
 * everybody, is none.
 */
function isSystemBinding({ name, labels, role, subjects }: RbacBinding): boolean {
  if (!name.startsWith('system:') && labels[BOOTSTRAP_LABEL] === undefined) return false;
  const forEverybody = FOR_EVERYBODY.has(role.name);
  return subjects.every((subject) =>
    subject.kind === 'ServiceAccount'
      ? subject.namespace === 'kube-system'
      : subject.name.startsWith('system:') && (forEverybody || !EVERYBODY.test(subject.name)),
  );
}

/** What belongs to the namespace first. */
function byScopeAndName(a: AccessGrant, b: AccessGrant): number {
  if (a.binding.kind !== b.binding.kind) return a.binding.kind === 'RoleBinding' ? -1 : 1;
  return (
    a.binding.name.localeCompare(b.binding.name, 'en') || a.subject.name.localeCompare(b.subject.name, 'en')
  );
}
