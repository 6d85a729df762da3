import type { ApiResource } from './rbac.ts';
import type { DeedTarget } from './rule-matching.ts';

/**
 * Reads a resource as kubectl takes it: `pods`, `po`, `pods/log`, `deployments.apps`, `deployments.apps/scale`, `*`.
 * A bare name means the resource in every group that has it. A group that is named need not be known: rules may be
 * about kinds that are not there yet.
 * @returns undefined for a bare name that no group has
 */
export function readTarget(text: string, resources: readonly ApiResource[]): DeedTarget | undefined {
  const [path = '', subresource = null] = text.split('/');
  const [name = '', ...groupParts] = path.split('.');
  if (name === '*') return { groups: ['*'], resource: '*', subresource, namespaced: true };
  const known = resources.filter(({ resource, aliases }) => resource === name || aliases.includes(name));
  if (groupParts.length > 0) {
    const group = groupParts.join('.');
    const { resource = name, namespaced = true } = known.find((one) => one.group === group) ?? {};
    return { groups: [group], resource, subresource, namespaced };
  }
  const [first] = known;
  if (first === undefined) return undefined;
  // Short names can differ from group to group: the first one decides, as with kubectl.
  const groups = known.filter(({ resource }) => resource === first.resource).map(({ group }) => group);
  return { groups, resource: first.resource, subresource, namespaced: first.namespaced };
}
