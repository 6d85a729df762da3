import { type RenderedObject, renderChart } from '../../charts/render.ts';
import { type UsedRight, usedRights } from '../../lab/kube/audit.ts';
import type { KubeLab } from '../../lab/kube/kube-lab.ts';
import { accountName } from '../../lab/kube/users.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

/** One verb on one resource that a role of the chart allows. */
interface Grant {
  role: string;
  /** null for the whole cluster. */
  namespace: string | null;
  verb: string;
  apiGroup: string;
  resource: string;
}

/** A service account, and the rights that Bramble's chart gives it with certain values. */
export class ChartRights {
  readonly #lab: KubeLab;
  readonly #user: string;
  readonly #grants: readonly Grant[];
  readonly kubeconfig: string;

  private constructor(lab: KubeLab, user: string, grants: readonly Grant[], kubeconfig: string) {
    this.#lab = lab;
    this.#user = user;
    this.#grants = grants;
    this.kubeconfig = kubeconfig;
  }

  /** Brings the accounts, roles and bindings of a release of the chart to the cluster. */
  static async of(
    lab: KubeLab,
    release: { values: object; release: string; namespace: string },
  ): Promise<{ api: ChartRights; worker: ChartRights }> {
    const objects = await renderChart('bramble', release);
    for (const object of objects) {
      const path = pathOf(object, release.namespace);
      if (path !== undefined) await lab.api.create(path, object);
    }
    const account = async (name: 'api' | 'worker') => {
      const own = { namespace: release.namespace, name: `${release.release}-${name}` };
      const grants = grantsOf(objects, own.name);
      const user = accountName(own.namespace, own.name);
      return new ChartRights(lab, user, grants, await lab.kubeconfigOfAccount(own));
    };
    return { api: await account('api'), worker: await account('worker') };
  }

  /** What was refused to it so far, such as `patch namespaces in other`. */
  refused(): string[] {
    return this.#used('forbid').map(describe);
  }

  /** What it may do and has not done so far. */
  unused(): string[] {
    const used = this.#used('allow');
    return this.#grants
      .filter((grant) => !used.some((right) => isCovered(right, grant)))
      .map((grant) => `${grant.role}: ${describe(grant)}`);
  }

  #used(decision: UsedRight['decision']): UsedRight[] {
    return usedRights(this.#lab, this.#user).filter((right) => right.decision === decision);
  }
}

function pathOf({ kind, metadata }: RenderedObject, release: string): string | undefined {
  const { namespace = release } = metadata as { namespace?: string };
  switch (kind) {
    case 'ServiceAccount':
      return `/api/v1/namespaces/${namespace}/serviceaccounts`;
    case 'Role':
    case 'RoleBinding':
      return `${RBAC}/namespaces/${namespace}/${kind.toLowerCase()}s`;
    case 'ClusterRole':
    case 'ClusterRoleBinding':
      return `${RBAC}/${kind.toLowerCase()}s`;
    default:
      return undefined;
  }
}

/** Of the roles that the chart makes; `cluster-admin` is not its own. */
function grantsOf(objects: readonly RenderedObject[], account: string): Grant[] {
  const bindings = objects.filter(
    ({ kind, subjects }) =>
      kind.endsWith('RoleBinding') &&
      (subjects as { name: string }[]).some((subject) => subject.name === account),
  );
  return bindings.flatMap((binding) => {
    const { kind, name } = binding.roleRef as { kind: string; name: string };
    const { namespace = null } = binding.metadata as { namespace?: string };
    const role = objects.find(
      (object) =>
        object.kind === kind &&
        object.metadata.name === name &&
        ((object.metadata as { namespace?: string }).namespace ?? null) === namespace,
    );
    return ((role?.rules ?? []) as Rule[]).flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((apiGroup) =>
        resources.flatMap((resource) =>
          verbs.map((verb) => ({ role: name, namespace, verb, apiGroup, resource })),
        ),
      ),
    );
  });
}

/** What is asked for in one namespace needs no right in all of them; but a namespace itself counts as inside of itself. */
const isCovered = (right: UsedRight, grant: Grant): boolean =>
  right.verb === grant.verb &&
  right.apiGroup === grant.apiGroup &&
  right.resource === grant.resource &&
  (right.namespace === grant.namespace || (grant.namespace === null && grant.resource === 'namespaces'));

function describe({ verb, apiGroup, resource, namespace }: Omit<Grant, 'role'>): string {
  const what = apiGroup === '' ? resource : `${resource}.${apiGroup}`;
  return `${verb} ${what}${namespace === null ? '' : ` in ${namespace}`}`;
}
