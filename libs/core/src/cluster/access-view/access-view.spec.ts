import { describe, expect, it } from 'vitest';
import { type AccessQuestion, viewAccess } from './access-view.ts';
import { type NamespaceRbac, type RbacBinding, type RbacRole, type RbacSubject, selects } from './rbac.ts';
import { meansSubject } from './subject-matching.ts';

const READ_PODS = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'], resourceNames: [] };
const DELETE_PODS = { verbs: ['delete'], apiGroups: [''], resources: ['pods'], resourceNames: [] };
const URLS = { verbs: ['get'], apiGroups: [], resources: [], resourceNames: [] };
const AGGREGATE = 'rbac.authorization.k8s.io/aggregate-to-edit';

const role = (name: string, change: Partial<RbacRole> = {}): RbacRole => ({
  ...{ kind: 'ClusterRole', name, labels: {}, rules: [], aggregates: null },
  ...change,
});
const user = (name: string): RbacSubject => ({ kind: 'User', name, namespace: null });
const group = (name: string): RbacSubject => ({ kind: 'Group', name, namespace: null });
const account = (namespace: string, name: string): RbacSubject => ({
  kind: 'ServiceAccount',
  name,
  namespace,
});
const binding = (name: string, change: Partial<RbacBinding>): RbacBinding => ({
  ...{ kind: 'RoleBinding', name, labels: {}, role: { kind: 'ClusterRole', name: 'edit' }, subjects: [] },
  ...change,
});
const BOOTSTRAP = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };

const RBAC: NamespaceRbac = {
  roles: [
    role('reader', { kind: 'Role', rules: [READ_PODS] }),
    role('edit', {
      rules: [DELETE_PODS, READ_PODS, URLS],
      aggregates: [{ matchLabels: { [AGGREGATE]: 'true' } }],
    }),
    role('deleters', { rules: [DELETE_PODS], labels: { [AGGREGATE]: 'true' } }),
    role('admin', { rules: [DELETE_PODS], aggregates: [{ matchLabels: { to: 'admin' } }] }),
  ],
  bindings: [
    binding('everywhere', { kind: 'ClusterRoleBinding', subjects: [group('ops')] }),
    binding('readers', { role: { kind: 'Role', name: 'reader' }, subjects: [user('ada'), user('bob')] }),
    binding('gone', { role: { kind: 'Role', name: 'vanished' }, subjects: [account('hpc', 'worker')] }),
    binding('cluster-admin', {
      kind: 'ClusterRoleBinding',
      labels: BOOTSTRAP,
      subjects: [group('system:masters')],
    }),
  ],
};
const ask = (question: Partial<AccessQuestion> = {}, rbac = RBAC) =>
  viewAccess(rbac, { subject: undefined, system: false, verb: null, target: null, ...question });
const PODS = { groups: [''], resource: 'pods', subresource: null, namespaced: true };

describe('the view of a namespace', () => {
  it('has each subject of each binding with the rules it gets, those of the namespace first', () => {
    const { items, systemLeftOut } = ask();
    expect(systemLeftOut).toBe(1);
    expect(items.map(({ subject, binding: { name } }) => `${name}: ${subject.name}`)).toEqual([
      'gone: worker',
      'readers: ada',
      'readers: bob',
      'everywhere: ops',
    ]);
    expect(items[1]).toEqual({
      subject: { kind: 'User', name: 'ada', namespace: null },
      binding: { kind: 'RoleBinding', name: 'readers' },
      role: { kind: 'Role', name: 'reader', missing: false, aggregated: false },
      rules: [{ ...READ_PODS, from: null }],
    });
  });

  it('says where an aggregated role has its rules from, and leaves out rules about URLs', () => {
    expect(ask().items[3]).toMatchObject({
      role: { name: 'edit', aggregated: true },
      rules: [
        { verbs: ['delete'], from: 'deleters' },
        { verbs: ['get', 'list'], from: null },
      ],
    });
  });

  it('finds the origin through a role that gathers itself', () => {
    const through: NamespaceRbac = {
      roles: [
        role('admin', { rules: [DELETE_PODS], aggregates: [{ matchLabels: { to: 'admin' } }] }),
        role('edit', {
          labels: { to: 'admin' },
          rules: [DELETE_PODS],
          aggregates: [{ matchLabels: { [AGGREGATE]: 'true' } }],
        }),
        role('deleters', { rules: [DELETE_PODS], labels: { [AGGREGATE]: 'true' } }),
      ],
      bindings: [binding('b', { role: { kind: 'ClusterRole', name: 'admin' }, subjects: [user('ada')] })],
    };
    expect(ask({}, through).items[0]?.rules).toEqual([{ ...DELETE_PODS, from: 'deleters' }]);
  });

  it('tells of a role that is missing, which allows nothing', () => {
    expect(ask().items[0]).toMatchObject({ role: { name: 'vanished', missing: true }, rules: [] });
    expect(ask({ verb: 'get' }).items.map(({ binding: { name } }) => name)).not.toContain('gone');
  });

  it('answers who may delete pods, with the rules that allow it alone', () => {
    const { items } = ask({ verb: 'delete', target: PODS });
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ subject: { name: 'ops' }, rules: [{ verbs: ['delete'] }] });
  });

  it.each<[string, string | null, string[]]>([
    ['nodes', 'get', ['everywhere']],
    ['namespaces', 'delete', ['here', 'everywhere']],
    ['namespaces', null, ['here', 'everywhere']],
    ['namespaces', 'list', ['everywhere']],
    ['pods', 'list', ['here', 'everywhere']],
  ])('counts a binding of the namespace for %s (%s) where it can allow that: %j', (resource, verb, names) => {
    const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [] };
    const subjects = [user('ada')];
    const everything: NamespaceRbac = {
      roles: [role('edit', { rules: [all] })],
      bindings: [
        binding('everywhere', { kind: 'ClusterRoleBinding', subjects }),
        binding('here', { subjects }),
      ],
    };
    const target = { groups: [''], resource, subresource: null, namespaced: resource === 'pods' };
    expect(ask({ verb, target }, everything).items.map(({ binding: { name } }) => name)).toEqual(names);
  });

  it('answers what one subject may do', () => {
    expect(ask({ subject: 'user:ada' }).items.map(({ binding: { name } }) => name)).toEqual(['readers']);
    expect(ask({ subject: 'ops' }).items).toHaveLength(1);
    expect(ask({ subject: 'nobody' }).items).toEqual([]);
  });

  it("has Kubernetes' own bindings where they are asked for", () => {
    const { items, systemLeftOut } = ask({ system: true });
    expect(systemLeftOut).toBe(0);
    expect(items.map(({ subject }) => subject.name)).toContain('system:masters');
  });

  it.each<[string, Partial<RbacBinding>]>([
    ['a person', { subjects: [group('system:masters'), user('mallory')] }],
    ['everybody', { subjects: [group('system:authenticated')] }],
    ['a pod of another namespace', { subjects: [account('hpc', 'worker')] }],
  ])('does not take a binding of a system name for one when it names %s', (_, change) => {
    const bindings = [binding('system:node', { labels: BOOTSTRAP, ...change })];
    expect(ask({}, { ...RBAC, bindings }).systemLeftOut).toBe(0);
  });

  it('takes what everybody may see of the API server for the system', () => {
    const bindings = [
      binding('system:discovery', {
        role: { kind: 'ClusterRole', name: 'system:discovery' },
        subjects: [group('system:authenticated')],
      }),
    ];
    expect(ask({}, { ...RBAC, bindings }).systemLeftOut).toBe(1);
  });
});

describe('who is asked about', () => {
  it.each<[string, RbacSubject, boolean]>([
    ['user:ada', user('ada'), true],
    ['user:ada', group('ada'), false],
    ['user:ada', group('system:authenticated'), true],
    ['group:ops', group('ops'), true],
    ['group:ops', user('ops'), false],
    ['ops', group('ops'), true],
    ['serviceaccount:hpc/worker', account('hpc', 'worker'), true],
    ['serviceaccount:hpc/worker', account('other', 'worker'), false],
    ['serviceaccount:hpc/worker', user('system:serviceaccount:hpc:worker'), true],
    ['serviceaccount:hpc/worker', group('system:serviceaccounts:hpc'), true],
    ['serviceaccount:hpc/worker', group('system:serviceaccounts:other'), false],
    ['system:serviceaccount:hpc:worker', account('hpc', 'worker'), true],
    ['worker', account('hpc', 'worker'), true],
  ])('%s and %o: %s', (asked, subject, meant) => {
    expect(meansSubject(asked)(subject)).toBe(meant);
  });
});

describe('a selector', () => {
  it.each([
    ['In', ['a'], true],
    ['In', ['b'], false],
    ['NotIn', ['a'], false],
    ['NotIn', ['b'], true],
    ['Exists', undefined, true],
    ['DoesNotExist', undefined, false],
    ['Gt', ['1'], false],
  ])('of %s %j', (operator, values, expected) => {
    const expression = { key: 'k', operator, ...(values === undefined ? {} : { values }) };
    expect(selects({ matchExpressions: [expression] }, { k: 'a' })).toBe(expected);
  });
});
