/** A node that there is no machine behind: kwok answers for it. */
export interface LabNode {
  name: string;
  role: 'control-plane' | 'worker';
  address: string;
  architecture: 'arm64' | 'amd64';
}

/** The original lab's cluster; one worker is no Raspberry Pi, so that charts have to say where they can run. */
export const LAB_NODES: readonly LabNode[] = [
  { name: 'kv-master-0', role: 'control-plane', address: '10.0.0.100', architecture: 'arm64' },
  { name: 'kv-worker-0', role: 'worker', address: '10.0.0.101', architecture: 'arm64' },
  { name: 'kv-worker-1', role: 'worker', address: '10.0.0.102', architecture: 'arm64' },
  { name: 'kv-worker-2', role: 'worker', address: '10.0.0.103', architecture: 'amd64' },
];

const MACHINES = {
  arm64: {
    osImage: 'Debian GNU/Linux 12 (bookworm)',
    kernelVersion: '6.12.34+rpt-rpi-v8',
    resources: { cpu: '4', memory: '8127596Ki' },
  },
  amd64: {
    osImage: 'Debian GNU/Linux 12 (bookworm)',
    kernelVersion: '6.1.0-37-amd64',
    resources: { cpu: '8', memory: '16265044Ki' },
  },
};

/** As a kubelet registers itself. kwok keeps what is there, and adds the conditions. */
export function nodeObject({ name, role, address, architecture }: LabNode, version: string): object {
  const { osImage, kernelVersion, resources } = MACHINES[architecture];
  const capacity = { ...resources, 'ephemeral-storage': '60Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': architecture,
        [`node-role.kubernetes.io/${role}`]: '',
      },
    },
    status: {
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
        // Where kwok answers for its kubelet.
        { type: 'ExternalIP', address: '127.0.0.1' },
      ],
      capacity,
      allocatable: capacity,
      nodeInfo: {
        architecture,
        osImage,
        kernelVersion,
        operatingSystem: 'linux',
        kubeletVersion: version,
        kubeProxyVersion: version,
        containerRuntimeVersion: 'containerd://2.1.4',
        bootID: '',
        machineID: '',
        systemUUID: '',
      },
    },
  };
}
