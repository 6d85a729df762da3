import { describe, expect, it } from 'vitest';
import { kubernetesNodeSchema } from '#core/cluster/kubernetes-nodes';
import type { ApiNode } from './api-node.ts';
import { toKubernetesNode } from './to-kubernetes-node.ts';

const since = new Date('2026-11-20T18:30:05Z');
const condition = (type: string, status: string, reason: string, message: string) => ({
  ...{ type, status, reason, message },
  lastTransitionTime: since,
});
const fine = [
  condition(
    'MemoryPressure',
    'False',
    'KubeletHasSufficientMemory',
    'kubelet has sufficient memory available',
  ),
  condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
  condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
];
const ready = condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status');

/** A server of k3s with embedded etcd on a Raspberry Pi 4. */
const server: ApiNode = {
  metadata: {
    name: 'kv-master-0',
    creationTimestamp: new Date('2026-10-03T09:15:42Z'),
    labels: {
      'beta.kubernetes.io/arch': 'arm64',
      'kubernetes.io/hostname': 'kv-master-0',
      'node-role.kubernetes.io/etcd': 'true',
      'node-role.kubernetes.io/control-plane': 'true',
      'node.kubernetes.io/instance-type': 'k3s',
    },
  },
  spec: {},
  status: {
    addresses: [
      { type: 'InternalIP', address: '10.0.0.100' },
      { type: 'Hostname', address: 'kv-master-0' },
    ],
    capacity: { cpu: '4', memory: '8127596Ki', pods: '110' },
    conditions: [
      condition('EtcdIsVoter', 'True', 'MemberNotLearner', 'Node is a voting member of the etcd cluster'),
      ...fine,
      ready,
    ],
    nodeInfo: {
      architecture: 'arm64',
      osImage: 'Debian GNU/Linux 12 (bookworm)',
      kernelVersion: '6.12.34+rpt-rpi-v8',
      kubeletVersion: 'v1.36.3+k3s1',
    },
  },
};

const withConditions = (...conditions: ReturnType<typeof condition>[]): ApiNode => ({
  ...server,
  status: { ...server.status, conditions },
});

describe('a node of Kubernetes', () => {
  it('is told in full', () => {
    const node = toKubernetesNode(server);
    expect(node).toEqual({
      name: 'kv-master-0',
      ready: true,
      unschedulable: false,
      problems: [],
      roles: ['control-plane', 'etcd'],
      addresses: [
        { type: 'InternalIP', address: '10.0.0.100' },
        { type: 'Hostname', address: 'kv-master-0' },
      ],
      kubeletVersion: 'v1.36.3+k3s1',
      architecture: 'arm64',
      osImage: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.12.34+rpt-rpi-v8',
      cpus: 4,
      memoryMebibytes: 7937,
      createdAt: '2026-10-03T09:15:42.000Z',
    });
    expect(kubernetesNodeSchema.parse(node)).toEqual(node);
  });

  it('is unschedulable when it is cordoned, and nothing is wrong with it', () => {
    const cordoned: ApiNode = { ...server, spec: { unschedulable: true } };
    expect(toKubernetesNode(cordoned)).toMatchObject({ ready: true, unschedulable: true, problems: [] });
  });

  it('has no role where none is labelled, and the one of old labels', () => {
    const labelled = (labels: Record<string, string>) =>
      toKubernetesNode({ ...server, metadata: { ...server.metadata, labels } }).roles;
    expect(labelled({ 'kubernetes.io/os': 'linux' })).toEqual([]);
    expect(labelled({ 'kubernetes.io/role': 'agent', 'node-role.kubernetes.io/agent': '' })).toEqual([
      'agent',
    ]);
  });

  it('says why it is not ready', () => {
    const message =
      'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not ' +
      'initialized.';
    const node = toKubernetesNode(
      withConditions(...fine, condition('Ready', 'False', 'KubeletNotReady', message)),
    );
    expect(node.ready).toBe(false);
    expect(node.problems).toEqual([{ code: 'not_ready', message: `It is not ready: ${message}` }]);
  });

  it('says that it is silent once where its kubelet tells nothing any more', () => {
    const stopped = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) =>
      condition(type, 'Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.'),
    );
    const node = toKubernetesNode(withConditions(...stopped));
    expect(node.ready).toBe(false);
    expect(node.problems).toEqual([
      {
        code: 'silent',
        message:
          'Its kubelet is silent since 2026-11-20T18:30:05.000Z: is the machine on, and does k3s or kubelet run there?',
      },
    ]);
  });

  it('names every trouble, and no condition that it does not know', () => {
    const node = toKubernetesNode(
      withConditions(
        ready,
        condition('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure'),
        condition('ReadonlyFilesystem', 'True', 'FilesystemIsReadOnly', ''),
        condition('SomethingNew', 'True', 'Perhaps', 'good or bad'),
      ),
    );
    expect(node.ready).toBe(true);
    expect(node.problems).toEqual([
      {
        code: 'disk_pressure',
        message: 'Its disk is full: pods are evicted, and images removed: kubelet has disk pressure.',
      },
      {
        code: 'read_only_file_system',
        message: 'A file system has become read-only: FilesystemIsReadOnly.',
      },
    ]);
  });

  it('is not ready before its kubelet has told anything', () => {
    const node = toKubernetesNode({ metadata: { name: 'new' }, spec: {}, status: {} });
    expect(node).toMatchObject({
      name: 'new',
      ready: false,
      cpus: null,
      memoryMebibytes: null,
      osImage: null,
    });
    expect(node.problems.map(({ code }) => code)).toEqual(['not_ready']);
    expect(kubernetesNodeSchema.parse(node)).toEqual(node);
  });
});
