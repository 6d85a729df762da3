import type { WorkloadState } from '#core/services/service-objects';
import { type ApiCondition, type ApiObject, groupOf } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { discoverKinds } from './discovery.ts';
import { isForeign } from './foreign-kinds.ts';
import { type Located, listPathOf, pathOf } from './locate.ts';
import { progressOf } from './workload-state.ts';
import type { WorkloadKind } from './workloads.ts';

/** A workload as it is, and how far. */
export interface FoundWorkload {
  kind: WorkloadKind;
  live: ApiObject;
  state: WorkloadState;
}

const MADE_BY_OPERATORS: readonly (readonly [kind: WorkloadKind, resource: string])[] = [
  ['Deployment', 'deployments'],
  ['StatefulSet', 'statefulsets'],
  ['DaemonSet', 'daemonsets'],
];
/** Conditions that say whether the whole of a custom resource does its work; the first that is there counts. */
const READINESS: readonly string[] = ['Ready', 'Available'];

/**
 * Workloads that operators have made for custom resources of a release: a chart for Prometheus has no Prometheus in it,
 * but a resource of the kind.
 * @throws ApiRefusal
 */
export async function operatorWorkloads(
  api: ApiSession,
  targets: readonly Located[],
): Promise<FoundWorkload[]> {
  const foreign = targets.filter(({ ref }) => isForeign(ref.apiVersion) && ref.namespace !== null);
  const owners = new Set(foreign.map(({ ref }) => `${groupOf(ref.apiVersion)}/${ref.kind}/${ref.name}`));
  const namespaces = [...new Set(foreign.flatMap(({ ref }) => ref.namespace ?? []))];
  const lists = namespaces.flatMap((namespace) =>
    MADE_BY_OPERATORS.map(async ([kind, resource]) => {
      const objects = await api.list<ApiObject>(listPathOf('apps/v1', resource, namespace));
      return objects
        .filter(({ metadata }) =>
          metadata.ownerReferences?.some((owner) =>
            owners.has(`${groupOf(owner.apiVersion)}/${owner.kind}/${owner.name}`),
          ),
        )
        .map((live) => {
          const object = { apiVersion: 'apps/v1', kind, namespace, name: live.metadata.name };
          return { kind, live, state: { object, ...progressOf(kind, live, false) } };
        });
    }),
  );
  return (await Promise.all(lists)).flat();
}

/**
 * Custom resources that say of themselves whether they are ready, such as an issuer of certificates. Those that say
 * nothing are left out.
 * @throws ApiRefusal
 */
export async function operatorStates(api: ApiSession, targets: readonly Located[]): Promise<WorkloadState[]> {
  const foreign = targets.filter(({ ref }) => isForeign(ref.apiVersion));
  if (foreign.length === 0) return [];
  const kinds = await discoverKinds(api);
  const states = await Promise.all(
    foreign.map(async ({ ref }): Promise<WorkloadState[]> => {
      const kind = kinds.get(`${ref.apiVersion}/${ref.kind}`);
      if (kind?.hasStatus !== true) return [];
      const object = kind.namespaced ? ref : { ...ref, namespace: null };
      const live = await api.get<ApiObject>(pathOf(object, kind.resource));
      return live === undefined ? [] : stateOf(live).map((state) => ({ object, ...state }));
    }),
  );
  return states.flat();
}

function stateOf({ metadata, status }: ApiObject): { ready: boolean; detail: string }[] {
  const { conditions } = (status ?? {}) as {
    conditions?: readonly (ApiCondition & { observedGeneration?: number })[];
  };
  const condition = READINESS.flatMap((name) => conditions?.find(({ type }) => type === name) ?? [])[0];
  if (condition === undefined) return [];
  const { observedGeneration = metadata.generation ?? 0 } = condition;
  if (observedGeneration < (metadata.generation ?? 0))
    return [{ ready: false, detail: 'The change has not been taken up yet' }];
  const ready = condition.status === 'True';
  const said = [condition.message, condition.reason].find((text) => text !== undefined && text !== '');
  return [
    { ready, detail: ready ? 'It is ready' : `It is not ready${said === undefined ? '' : `: ${said}`}` },
  ];
}
