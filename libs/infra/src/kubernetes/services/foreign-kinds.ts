import { groupOf } from './api-object.ts';

/** Whether a kind is of somebody else's making: Kubernetes' own groups have no dot, or are below k8s.io. */
export function isForeign(apiVersion: string): boolean {
  const group = groupOf(apiVersion);
  return group.includes('.') && !group.endsWith('.k8s.io');
}
