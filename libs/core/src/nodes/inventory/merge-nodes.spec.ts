import { describe, expect, it } from 'vitest';
import type { SlurmNode } from '../../cluster/cluster.ts';
import type { KubernetesNode } from '../../cluster/kubernetes-nodes.ts';
import type { Board, BoardFacts } from '../board.ts';
import type { NodeOperation } from '../../operations/operation.ts';
import type { BoardHealth } from './board-health.ts';
import { mergeNodes } from './merge-nodes.ts';

const NOW = new Date('2031-04-05T06:07:08.000Z');

const slurmNode = (name: string): SlurmNode => ({
  ...{
    name,
    address: `${name}.slurm`,
    state: 'idle',
    flags: [],
    reason: null,
    partitions: ['all'],
    features: [],
  },
  ...{ cpus: 4, cpusAllocated: 1, memoryMebibytes: 3600, memoryAllocatedMebibytes: 0 },
  ...{ architecture: 'aarch64', operatingSystem: 'Linux', slurmVersion: '22.05.8', bootedAt: null },
});
const FACTS: BoardFacts = {
  ...{
    model: 'Raspberry Pi 5',
    revision: null,
    disks: [],
    serial: 'f00d',
    machineId: 'cafe',
    hostname: 'x',
    architecture: 'arm64',
  },
  ...{ cpus: 4, memoryMebibytes: 8062, pageSizeBytes: 16_384, os: 'debian 13', kernel: '6.12' },
  ...{ temperatureCelsius: 40, throttled: [], clockSkewSeconds: 0, clockSkewUncertaintySeconds: 0 },
};
const board = (name: string, facts: BoardFacts | null = FACTS): Board => ({
  ...{ id: `brd_${name}`, version: 1, name, address: '10.0.0.3', sshPort: 2222, signInUser: 'secret-user' },
  ...{
    hostKeySha256: 'SHA256:pinned',
    roles: ['compute'],
    labels: { rack: 'a' },
    network: null,
    storage: null,
  },
  ...{ trial: false, sealedSignIn: 'sealed-sign-in', sealedSudoPassword: 'sealed-sudo' },
  ...{ facts, factsAt: NOW, createdAt: NOW },
});
const known = (name: string, health: BoardHealth | null = null, facts: BoardFacts | null = FACTS) => ({
  ...{ board: board(name, facts), health, busy: false },
});

describe('the nodes of the cluster', () => {
  it('are those of Slurm, boards, and what is both, each once and in order', () => {
    const merged = mergeNodes(
      ['node10', 'node2', 'other'].map(slurmNode),
      [known('node2'), known('node3')],
      new Map(),
    );
    expect(
      merged.map(({ name, address, slurm, board: section }) => [name, address, slurm?.state, section?.id]),
    ).toEqual([
      ['node2', '10.0.0.3', 'idle', 'brd_node2'],
      ['node3', '10.0.0.3', undefined, 'brd_node3'],
      ['node10', 'node10.slurm', 'idle', undefined],
      ['other', 'other.slurm', 'idle', undefined],
    ]);
  });

  it('do not tell how Bramble signs in', () => {
    const text = JSON.stringify(mergeNodes([], [known('node2')], new Map()));
    for (const secret of ['sealed', 'secret-user', 'SHA256', '2222', 'cafe'])
      expect(text).not.toContain(secret);
  });

  it('tell what a board said last', () => {
    const health: BoardHealth = {
      ...{ boardId: 'brd_node2', state: 'degraded', reasons: [{ code: 'hot', message: 'It is hot.' }] },
      ...{ observedAt: NOW, since: NOW, failures: 0, nextLookAt: NOW },
      condition: {
        ...{
          temperatureCelsius: 85,
          throttled: ['throttled'],
          clockSkewSeconds: 0,
          clockSkewUncertaintySeconds: 0,
          rootUsedPercent: 1,
        },
        ...{
          rootFreeMebibytes: 1,
          load: 1,
          bootId: 'b',
          bootedAt: NOW.toISOString(),
          readAt: NOW.toISOString(),
        },
      },
    };
    const [node] = mergeNodes([], [known('node2', health)], new Map());
    expect(node?.board).toMatchObject({
      ...{ temperatureCelsius: 85, throttled: ['throttled'], model: 'Raspberry Pi 5' },
      health: { state: 'degraded', observedAt: NOW.toISOString(), reasons: [{ code: 'hot' }] },
    });
  });

  it('know nothing of a board before the first connection', () => {
    const [node] = mergeNodes([], [known('node2', null, null)], new Map());
    expect(node?.board).toMatchObject({
      ...{
        model: null,
        cpus: null,
        temperatureCelsius: null,
        health: { state: 'unknown', observedAt: null },
      },
      drift: { state: 'unknown', steps: [], at: null },
    });
  });

  it('tell which steps were found to differ', () => {
    const step = (name: string, state: NodeOperation['steps'][number]['state']) => ({
      ...{ name, title: name, state, detail: null, startedAt: null, endedAt: null },
    });
    const operation = (state: NodeOperation['state'], ...steps: NodeOperation['steps']): NodeOperation => ({
      ...{
        id: 'op_1',
        version: 3,
        about: 'node',
        subject: 'node2',
        boardId: 'brd_node2',
        kind: 'check',
        notes: {},
        state,
        steps,
      },
      ...{ parameters: { reason: null, force: false }, reason: null, cancelRequestedAt: null, lookAt: null },
      ...{ createdAt: NOW, startedAt: NOW, endedAt: NOW },
    });
    const driftAfter = (last: NodeOperation) =>
      mergeNodes([], [known('node2')], new Map([['brd_node2', last]]))[0]?.board?.drift;
    const at = NOW.toISOString();
    const differing = operation('done', step('hosts', 'differs'), step('time', 'unchanged'));
    expect(driftAfter(differing)).toEqual({ state: 'drifted', steps: ['hosts'], at });
    expect(driftAfter(operation('done', step('hosts', 'applied')))).toEqual({
      state: 'inSync',
      steps: [],
      at,
    });
    expect(driftAfter(operation('failed', step('hosts', 'differs')))).toEqual({
      state: 'unknown',
      steps: [],
      at,
    });
  });
});

it('has the nodes of Kubernetes too, by their names', () => {
  const node = (name: string, address: string): KubernetesNode => ({
    ...{ name, ready: true, unschedulable: false, problems: [], roles: [], createdAt: null },
    ...{ kubeletVersion: null, architecture: 'arm64', osImage: null, kernel: null, cpus: 4 },
    ...{ addresses: [{ type: 'InternalIP', address }], memoryMebibytes: 3600 },
  });
  const kubernetes = {
    nodes: [node('kv-worker-0', '10.0.0.101'), node('node2', '10.0.0.99')],
    observedAt: NOW,
  };
  const merged = mergeNodes([], [known('node2')], new Map(), kubernetes);
  expect(merged).toMatchObject([
    { name: 'kv-worker-0', address: '10.0.0.101', board: null, kubernetes: { ready: true } },
    { name: 'node2', address: '10.0.0.3', board: {}, kubernetes: { observedAt: NOW.toISOString() } },
  ]);
  expect(merged[0]?.kubernetes).not.toHaveProperty('name');
});
