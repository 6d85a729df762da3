/** The least that an installation has to say, with a database and queues of the chart's own. */
export const lab = {
  postgresql: { enabled: true },
  redis: { enabled: true },
  storage: { nfs: { server: '10.0.0.20', path: '/srv/bramble' }, clusterRoot: '/srv/bramble' },
  slurm: {
    host: 'login.home.lab',
    hostKey: `SHA256:${'A'.repeat(43)}`,
    keySecret: { name: 'slurm-login' },
  },
};

/** Everything given, and everything on. */
export const full = {
  ...{ domain: 'pi.example', logLevel: 'debug' },
  postgresql: { existingSecret: 'database', key: 'url', pool: 25 },
  redis: { existingSecret: 'queues', key: 'url' },
  secretKeys: { existingSecret: 'seals', key: 'keys' },
  storage: { existingClaim: 'shared', clusterRoot: '/mnt/shared', groupId: 3000 },
  slurm: { ...lab.slurm, port: 2222, user: 'bramble', become: 'sudo', binDir: '/opt/slurm/bin' },
  boards: {
    subnet: '192.168.7.0/24',
    timeServers: ['10.0.0.1', 'time.example'],
    aptProxy: 'http://10.0.0.20:3142',
    accounts: ['alice:2001', 'bob:2002:2000'],
    mounts: ['10.0.0.20:/srv/home=/home/shared'],
    slurmctld: '10.0.0.100:6817',
    mungeKeySecret: { name: 'munge' },
  },
  api: {
    replicas: 3,
    adminAccount: 'alice',
    corsOrigins: ['https://lab.example', 'http://localhost:3000'],
    env: { BRAMBLE_MAX_UPLOAD_BYTES: 21_474_836_480 },
    service: { type: 'LoadBalancer', loadBalancerIP: '10.0.0.11' },
    autoscaling: { enabled: true, minReplicas: 2, maxReplicas: 5 },
  },
  worker: {
    env: { BRAMBLE_LEADER: false, BRAMBLE_BOARD_CHECK_HOURS: 0 },
    autoscaling: { enabled: true, minReplicas: 2, maxReplicas: 3 },
  },
  kubernetes: {
    views: true,
    ...{ registry: 'http://10.0.0.10:5000', storageClass: 'nfs' },
    services: { scope: 'namespaces', namespaces: ['monitoring', 'logging'] },
  },
  scheduling: {
    architectures: ['arm64'],
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'board', operator: 'Exists', effect: 'NoSchedule' }],
    priorityClassName: 'system-cluster-critical',
  },
  podAnnotations: { team: 'hpc' },
  ingress: { enabled: true, className: 'traefik', host: 'hpc.pi.example', tlsSecret: 'hpc-tls' },
  networkPolicy: {
    apiFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } }],
    metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
  },
  metrics: { serviceMonitor: { enabled: true, labels: { release: 'monitoring' } } },
  dashboards: { enabled: true },
};

/** All jobs run as one account: nothing of the release is root. */
export const oneAccount = {
  ...lab,
  account: { uid: 2001, gid: 2000 },
  slurm: { ...lab.slurm, user: 'jobs', become: 'none' },
};
