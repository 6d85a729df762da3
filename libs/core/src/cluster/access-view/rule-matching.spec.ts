import { describe, expect, it } from 'vitest';
import type { RbacRule } from './rbac.ts';
import { readTarget } from './read-target.ts';
import { allows } from './rule-matching.ts';

const RESOURCES = [
  { group: '', resource: 'pods', aliases: ['pod', 'po'], namespaced: true },
  { group: '', resource: 'events', aliases: ['event', 'ev'], namespaced: true },
  { group: 'apps', resource: 'deployments', aliases: ['deployment', 'deploy'], namespaced: true },
  { group: 'events.k8s.io', resource: 'events', aliases: ['event', 'ev'], namespaced: true },
];
const rule = (change: Partial<RbacRule>): RbacRule => ({
  ...{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: [] },
  ...change,
});

function may(verb: string, resource: string, change: Partial<RbacRule>): boolean {
  const target = readTarget(resource, RESOURCES);
  expect(target, resource).toBeDefined();
  return allows(rule(change), { verb, target: target ?? null });
}

describe('a rule', () => {
  it.each<[string, string, Partial<RbacRule>]>([
    ['get', 'pods', {}],
    ['get', 'po', {}],
    ['delete', 'pods', { verbs: ['*'] }],
    ['get', 'pods', { apiGroups: ['*'], resources: ['*'] }],
    ['get', 'pods/log', { resources: ['pods/log'] }],
    ['get', 'pods/log', { resources: ['*/log'] }],
    ['get', 'pods/log', { resources: ['*'] }],
    ['get', 'deployments.apps/scale', { apiGroups: ['apps'], resources: ['deployments/scale'] }],
    ['get', 'deploy', { apiGroups: ['apps'], resources: ['deployments'] }],
    ['get', 'events', { apiGroups: ['events.k8s.io'], resources: ['events'] }],
    ['get', 'pods', { resourceNames: ['slurm-0'] }],
    ['create', 'pods/exec', { verbs: ['create'], resources: ['pods/exec'], resourceNames: ['slurm-0'] }],
    ['get', 'widgets.example.com', { apiGroups: ['example.com'], resources: ['widgets'] }],
  ])('allows to %s %s', (verb, resource, change) => {
    expect(may(verb, resource, change)).toBe(true);
  });

  it.each<[string, string, Partial<RbacRule>]>([
    ['list', 'pods', {}],
    ['get', 'pods/log', {}],
    ['get', 'pods/log', { resources: ['pods/*'] }],
    ['get', 'pods', { resources: ['pods/log'] }],
    ['get', 'pods', { resources: ['*/log'] }],
    ['get', 'pods', { apiGroups: ['batch'], resources: ['*'] }],
    ['get', 'deployments', { apiGroups: [''], resources: ['deployments'] }],
    ['get', '*', { verbs: ['*'] }],
    ['*', 'pods', { verbs: ['get', 'list', 'delete'] }],
    ['create', 'pods', { verbs: ['*'], resourceNames: ['slurm-0'] }],
    ['deletecollection', 'pods', { verbs: ['*'], resourceNames: ['slurm-0'] }],
  ])('does not allow to %s %s', (verb, resource, change) => {
    expect(may(verb, resource, change)).toBe(false);
  });

  it('is asked about a verb alone, a resource alone, or nothing', () => {
    expect(allows(rule({}), { verb: 'get', target: null })).toBe(true);
    expect(allows(rule({}), { verb: null, target: readTarget('pods', RESOURCES) ?? null })).toBe(true);
    expect(allows(rule({}), { verb: null, target: null })).toBe(true);
    expect(readTarget('widgets', RESOURCES)).toBeUndefined();
  });
});
