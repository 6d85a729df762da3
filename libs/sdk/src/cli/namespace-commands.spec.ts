import { describe, expect, it } from 'vitest';
import type { AccessGrant, ClusterImage, ClusterNamespace, NamespaceAccess } from '../index.ts';
import { answerJson, localServer, TEST_KEY } from '../testing/local-server.ts';
import { RecordedTerminal } from '../testing/recorded-terminal.ts';
import { run } from './run.ts';

const NAMESPACE: ClusterNamespace = {
  ...{ name: 'hpc', labels: {}, phase: 'Active', protected: false, pods: 3 },
  createdAt: new Date(Date.now() - 125 * 60_000).toISOString(),
};
const rule = (
  verbs: string[],
  apiGroups: string[],
  resources: string[],
  change: { resourceNames?: string[]; from?: string } = {},
): AccessGrant['rules'][number] => ({
  verbs,
  apiGroups,
  resources,
  resourceNames: [],
  from: null,
  ...change,
});
const ACCESS: NamespaceAccess = {
  namespace: 'hpc',
  systemLeftOut: 41,
  items: [
    {
      subject: { kind: 'User', name: 'ada', namespace: null },
      binding: { kind: 'RoleBinding', name: 'editors' },
      role: { kind: 'ClusterRole', name: 'edit', missing: false, aggregated: true },
      rules: [
        rule(['get', 'list'], ['apps'], ['deployments', 'deployments/scale'], { from: 'system:edit' }),
        rule(['*'], ['*'], ['*']),
        rule(['get'], ['', 'events.k8s.io'], ['events']),
      ],
    },
    {
      subject: { kind: 'ServiceAccount', name: 'worker', namespace: 'bramble' },
      binding: { kind: 'RoleBinding', name: 'exec' },
      role: { kind: 'Role', name: 'exec', missing: false, aggregated: false },
      rules: [rule(['create'], [''], ['pods/exec'], { resourceNames: ['slurm-0'] })],
    },
    {
      subject: { kind: 'Group', name: 'devs', namespace: null },
      binding: { kind: 'ClusterRoleBinding', name: 'old' },
      role: { kind: 'ClusterRole', name: 'gone', missing: true, aggregated: false },
      rules: [],
    },
  ],
};
const image = (reference: string, present: boolean | null): ClusterImage => ({
  ...{ reference, digests: [], namespaces: ['hpc', 'web'], pods: [{ namespace: 'hpc', name: 'a' }] },
  mirror: { reference: `10.0.0.10:5000/${reference}`, present },
});

const asked: string[] = [];
async function print(answer: unknown, ...argv: string[]): Promise<RecordedTerminal> {
  const { url } = await localServer(({ path, query }, response) => {
    asked.push(`${path}?${query.toString()}`);
    answerJson(response, answer);
  });
  const terminal = new RecordedTerminal({ BRAMBLE_URL: url, BRAMBLE_API_KEY: TEST_KEY });
  expect(await run(argv, terminal)).toBe(0);
  return terminal;
}

describe('commands about namespaces', () => {
  it('list them', async () => {
    const items = [NAMESPACE, { ...NAMESPACE, name: 'default', protected: true, createdAt: null }];
    const lines = (await print({ items }, 'namespaces')).written.split('\n');
    expect(lines[1]).toMatch(/^hpc +Active +3 +2h05m +-$/);
    expect(lines[2]).toMatch(/^default +Active +3 +- +yes$/);
    expect(JSON.parse((await print({ items }, 'namespaces', '--json')).written)).toEqual({ items });
  });

  it('show who may do what, a line for each rule', async () => {
    const terminal = await print(ACCESS, 'access', 'hpc');
    const lines = terminal.written.split('\n').map((line) => line.split(/ {2,}/).join(' | '));
    expect(lines.slice(1, 6)).toEqual([
      'User ada | get,list | deployments.apps,deployments/scale.apps | - | RoleBinding editors | ClusterRole edit (system:edit)',
      'User ada | * | * (*) | - | RoleBinding editors | ClusterRole edit',
      'User ada | get | events (core,events.k8s.io) | - | RoleBinding editors | ClusterRole edit',
      'ServiceAccount bramble/worker | create | pods/exec | slurm-0 | RoleBinding exec | Role exec',
      'Group devs | nothing | - | - | ClusterRoleBinding old | ClusterRole gone, which is missing',
    ]);
    expect(terminal.errors).toMatch(/^Without 41 bindings .*--system shows them\.$/m);
  });

  it('ask who may do one thing', async () => {
    await print(
      ACCESS,
      'access',
      'hpc',
      '--verb',
      'delete',
      '--resource',
      'pods',
      '--subject',
      'user:ada',
      '--system',
    );
    expect(asked.at(-1)).toBe(
      '/v1/cluster/namespaces/hpc/access?verb=delete&resource=pods&subject=user%3Aada&system=true',
    );
  });

  it('list the images that run', async () => {
    const items = [
      image('docker.io/library/nginx:1', true),
      image('quay.io/a/b:1', false),
      image('quay.io/a/b:2', null),
      { ...image('x', null), mirror: null },
    ];
    const lines = (await print({ items }, 'images')).written.split('\n');
    expect(lines[1]).toMatch(/^docker\.io\/library\/nginx:1 +1 +hpc,web +yes$/);
    expect(lines[2]).toMatch(/ no$/);
    expect(lines[3]).toMatch(/ not known$/);
    expect(lines[4]).toMatch(/ -$/);
  });
});
