import type { ServiceOperationKind, StepProgress } from '../operations/operation.ts';
import type { ServicePart } from './catalog/catalog-entry.ts';

/** Names of steps that are not about one release. */
export const STEP = {
  cluster: 'cluster',
  recover: 'recover',
  namespace: 'namespace',
  undo: 'undo',
  dependents: 'dependents',
  leftovers: 'leftovers',
  images: 'images',
  copy: 'copy',
} as const;

export const planStep = (release: string): string => `plan ${release}`;
export const applyStep = (release: string): string => `apply ${release}`;
export const readyStep = (release: string): string => `ready ${release}`;
export const checkStep = (release: string): string => `check ${release}`;
export const removeStep = (release: string): string => `remove ${release}`;

type Step = readonly [name: string, title: string];

const CLUSTER: Step = [STEP.cluster, 'The cluster answers, and has what the service needs'];
const RECOVER: Step = [STEP.recover, 'Nothing was left half-way'];
const NAMESPACE: Step = [STEP.namespace, 'The namespace is there'];
const UNDO: Step = [STEP.undo, 'What has failed is rolled back'];

/** Steps of an operation on a service, before anything is done. */
export function serviceSteps(
  kind: ServiceOperationKind,
  parts: readonly Pick<ServicePart, 'release'>[],
): StepProgress[] {
  const releases = parts.map(({ release }) => release);
  const plans = releases.map((name): Step => [planStep(name), `What "${name}" would change is known`]);
  const applied = releases.flatMap((name): Step[] => [
    [applyStep(name), `The cluster has "${name}"`],
    [readyStep(name), `Everything of "${name}" is ready`],
  ]);
  return stepsOf().map(([name, title]) => ({
    name,
    title,
    state: 'waiting',
    detail: null,
    startedAt: null,
    endedAt: null,
  }));

  function stepsOf(): Step[] {
    switch (kind) {
      case 'plan':
        return [CLUSTER, ...plans];
      case 'install':
      case 'upgrade':
        return [CLUSTER, RECOVER, NAMESPACE, ...applied, UNDO];
      case 'rollback':
        return [CLUSTER, RECOVER, ...applied, UNDO];
      case 'check':
        return releases.map((name): Step => [checkStep(name), `"${name}" is as it was applied`]);
      case 'recover':
        return [RECOVER];
      case 'uninstall':
        return [
          [STEP.dependents, 'No other service depends on it'],
          RECOVER,
          ...releases.toReversed().map((name): Step => [removeStep(name), `"${name}" is gone`]),
          [STEP.leftovers, 'What is left behind is known'],
        ];
      case 'mirror':
        return [
          [STEP.images, 'The images that the cluster runs are known'],
          [STEP.copy, 'The registry has them'],
        ];
    }
  }
}
