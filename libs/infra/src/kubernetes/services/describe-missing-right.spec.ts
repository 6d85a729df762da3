import { describe, expect, it } from 'vitest';
import { chartHint } from './describe-missing-right.ts';
import { missingRightIn } from './missing-right.ts';

const WORKER = 'system:serviceaccount:bramble:bramble-worker';
const said = (user: string, verb: string, [resource = '', group = '']: string[], where: string): string =>
  `x is forbidden: User "${user}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`;
const hint = (text: string): string => {
  const right = missingRightIn(text);
  if (right === undefined) throw new Error('it names no right');
  return chartHint(right);
};
const EVERYWHERE = 'at the cluster scope';
const IN_APPS = 'in the namespace "apps"';
const RBAC = 'rbac.authorization.k8s.io';

describe('a right that is missing', () => {
  it.each([
    ['list', ['nodes'], EVERYWHERE, 'to the worker with kubernetes.nodes=true'],
    ['list', ['namespaces'], EVERYWHERE, 'to the api with kubernetes.views=true'],
    ['list', ['roles', RBAC], IN_APPS, 'to the api with kubernetes.views=true'],
    ['list', ['clusterroles', RBAC], EVERYWHERE, 'to the api with kubernetes.views=true'],
    [
      ...['list', ['pods'], EVERYWHERE],
      'to the api with kubernetes.views=true, and to the worker with kubernetes.registry',
    ],
    ['patch', ['deployments', 'apps'], IN_APPS, 'with apps among kubernetes.services.namespaces'],
    ['get', ['pods/log'], IN_APPS, 'with apps among kubernetes.services.namespaces'],
    [
      ...['get', ['namespaces'], IN_APPS],
      'to the worker with apps among kubernetes.services.namespaces, and to the api with kubernetes.views=true',
    ],
    ['create', ['namespaces'], EVERYWHERE, 'to the worker with kubernetes.services.scope=cluster'],
    ['patch', ['roles', RBAC], IN_APPS, 'to the worker with kubernetes.services.scope=cluster'],
    ['create', ['pods'], IN_APPS, 'to the worker with kubernetes.services.scope=cluster'],
  ] as [string, string[], string, string][])(
    'to %s %j %s is given by a value of the chart',
    (verb, resource, where, value) => {
      expect(hint(said(WORKER, verb, resource, where))).toBe(` Bramble's chart gives the right ${value}.`);
    },
  );

  it('is not the business of the chart where somebody else asks, nor where it is no resource', () => {
    expect(hint(said('ada', 'list', ['nodes'], EVERYWHERE))).toBe('');
    expect(hint(`forbidden: User "${WORKER}" cannot get path "/version"`)).toBe('');
  });
});
