import { describe, expect, it } from 'vitest';
import { ApiRefusal } from './api-refusal.ts';
import { describeFailure } from './describe-failure.ts';
import { isMissingRight } from './missing-right.ts';

const refusal = (status: number, message: string) =>
  new ApiRefusal('GET', '/apis', { status, text: JSON.stringify({ kind: 'Status', message }) });
const say = (error: unknown) => describeFailure('https://10.0.0.100:6443', error);
const START = 'The API server https://10.0.0.100:6443 ';

describe('a question that the API server does not answer', () => {
  it('names the right that is missing', () => {
    const pods = refusal(
      403,
      'pods is forbidden: User "system:serviceaccount:bramble:worker" cannot list resource "pods" in API group "" in the namespace "registry"',
    );
    expect(say(pods)).toBe(
      `${START}does not allow it (403): system:serviceaccount:bramble:worker may not list pods in the namespace registry. ` +
        'Bind a role that has the verb "list" for pods in the namespace registry. ' +
        "Bramble's chart gives the right with registry among kubernetes.services.namespaces.",
    );
    const roles = refusal(
      403,
      'x is forbidden: User "ada" cannot patch resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope',
    );
    expect(say(roles)).toMatch(
      /ada may not patch clusterroles\.rbac\.authorization\.k8s\.io in the whole cluster\./,
    );
    expect(say(refusal(403, 'forbidden: User "ada" cannot get path "/version"'))).toMatch(
      /ada may not get the path \/version\. Bind a role/,
    );
    expect(isMissingRight(pods)).toBe(true);
  });

  it('is told apart from what admission refuses', () => {
    const refused = refusal(403, 'pods "web" is forbidden: violates PodSecurity "restricted:latest"');
    expect(isMissingRight(refused)).toBe(false);
    expect(say(refused)).toBe(
      `${START}does not allow it (403): pods "web" is forbidden: violates PodSecurity "restricted:latest"`,
    );
    expect(say(refusal(500, 'etcd is away'))).toBe(`${START}answered with 500: etcd is away`);
    expect(say(new Error('connect ECONNREFUSED'))).toBe(`${START}cannot be asked: connect ECONNREFUSED`);
  });
});
