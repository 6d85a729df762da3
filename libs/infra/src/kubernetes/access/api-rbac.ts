import type {
  LabelSelector,
  NamespaceRbac,
  RbacBinding,
  RbacRole,
  RbacSubject,
} from '#core/cluster/access-view/rbac';

interface ApiMetadata {
  name: string;
  labels?: Readonly<Record<string, string>> | null;
}

/** What is read of a role or cluster role. */
export interface ApiRole {
  metadata: ApiMetadata;
  /** null where an aggregated role has found none. */
  rules?:
    | readonly { verbs: string[]; apiGroups?: string[]; resources?: string[]; resourceNames?: string[] }[]
    | null;
  aggregationRule?: { clusterRoleSelectors?: readonly LabelSelector[] };
}

/** What is read of a binding. */
export interface ApiBinding {
  metadata: ApiMetadata;
  roleRef: { kind: string; name: string };
  subjects?: readonly { kind: string; name: string; namespace?: string }[] | null;
}

export interface ApiRbac {
  roles: readonly ApiRole[];
  clusterRoles: readonly ApiRole[];
  roleBindings: readonly ApiBinding[];
  clusterRoleBindings: readonly ApiBinding[];
}

export const toNamespaceRbac = (rbac: ApiRbac): NamespaceRbac => ({
  roles: [
    ...rbac.roles.map((role) => toRole('Role', role)),
    ...rbac.clusterRoles.map((role) => toRole('ClusterRole', role)),
  ],
  bindings: [
    ...rbac.roleBindings.map((binding) => toBinding('RoleBinding', binding)),
    ...rbac.clusterRoleBindings.map((binding) => toBinding('ClusterRoleBinding', binding)),
  ],
});

function toRole(kind: RbacRole['kind'], { metadata, rules, aggregationRule }: ApiRole): RbacRole {
  return {
    kind,
    name: metadata.name,
    labels: metadata.labels ?? {},
    rules: (rules ?? []).map(({ verbs, apiGroups = [], resources = [], resourceNames = [] }) => ({
      ...{ verbs, apiGroups, resources, resourceNames },
    })),
    aggregates: aggregationRule === undefined ? null : (aggregationRule.clusterRoleSelectors ?? []),
  };
}

const toBinding = (kind: RbacBinding['kind'], { metadata, roleRef, subjects }: ApiBinding): RbacBinding => ({
  kind,
  name: metadata.name,
  labels: metadata.labels ?? {},
  role: { kind: roleRef.kind === 'Role' ? 'Role' : 'ClusterRole', name: roleRef.name },
  subjects: (subjects ?? []).map(({ kind: of, name, namespace }) => ({
    ...{ kind: toSubjectKind(of), name },
    namespace: namespace ?? null,
  })),
});

/** The API server takes no others. */
function toSubjectKind(kind: string): RbacSubject['kind'] {
  if (kind === 'User' || kind === 'Group' || kind === 'ServiceAccount') return kind;
  throw new Error(`a binding has a subject of the kind ${kind}`);
}
