/** What a role allows. Empty lists of resources belong to rules about URLs, which no namespace has. */
export interface RbacRule {
  verbs: readonly string[];
  apiGroups: readonly string[];
  resources: readonly string[];
  /** Empty: objects of every name. */
  resourceNames: readonly string[];
}

export interface RbacRole {
  kind: 'Role' | 'ClusterRole';
  name: string;
  labels: Readonly<Record<string, string>>;
  /** What counts, for an aggregated role too: its controller writes them here. */
  rules: readonly RbacRule[];
  /** Which cluster roles its rules are gathered from; null where it has rules of its own. */
  aggregates: readonly LabelSelector[] | null;
}

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
export interface LabelSelector {
  matchLabels?: Readonly<Record<string, string>>;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

export interface RbacSubject {
  kind: 'User' | 'Group' | 'ServiceAccount';
  name: string;
  /** Of a service account. */
  namespace: string | null;
}

export interface RbacBinding {
  kind: 'RoleBinding' | 'ClusterRoleBinding';
  name: string;
  labels: Readonly<Record<string, string>>;
  role: { kind: 'Role' | 'ClusterRole'; name: string };
  subjects: readonly RbacSubject[];
}

/** Everything that decides who may do what in one namespace. */
export interface NamespaceRbac {
  /** Roles of the namespace, and all cluster roles. */
  roles: readonly RbacRole[];
  /** Bindings of the namespace, and all cluster-wide ones. */
  bindings: readonly RbacBinding[];
}

/** A kind of object that the API server has. */
export interface ApiResource {
  /** API group; '' is the core's. */
  group: string;
  /** Plural, as rules name it: `pods`. */
  resource: string;
  /** Further names: singular and short ones, such as `pod` and `po`. */
  aliases: readonly string[];
  namespaced: boolean;
}

export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}
