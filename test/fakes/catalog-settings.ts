import type { ServiceSite } from '#core/services/catalog/service-site';

/** The lab as it is by default. */
export const LAB_SITE: ServiceSite = {
  domain: 'home.lab',
  subnet: '10.0.0.0/24',
  storage: { server: '10.0.0.20', path: '/srv/volumes' },
  storageClass: null,
  boards: [
    { name: 'node01', address: '10.0.0.101', roles: ['compute'] },
    { name: 'node02', address: '10.0.0.102', roles: ['compute'] },
  ],
  slurm: null,
};
/** The same in another subnet. */
export const MOVED_SITE: ServiceSite = {
  ...LAB_SITE,
  subnet: '192.168.7.0/24',
  storage: { server: '192.168.7.20', path: '/srv/volumes' },
  boards: LAB_SITE.boards.map((board) => ({
    ...board,
    address: board.address.replace('10.0.0', '192.168.7'),
  })),
};

/** Each service with every setting, none as it is by default. */
export const EVERY_SETTING: Record<string, Record<string, unknown>> = {
  metallb: {
    fixedAddresses: ['10.0.0.8-10.0.0.19', '10.0.0.21-10.0.0.40'],
    freeAddresses: ['10.0.0.60-10.0.0.70'],
    interfaces: ['eth0'],
  },
  dns: {
    address: '10.0.0.9',
    upstreams: ['10.0.0.1'],
    records: [{ name: '*.apps', address: '10.0.0.30' }],
    ...{ ttlSeconds: 60, replicas: 1, metrics: true },
  },
  ingress: {
    address: '10.0.0.9',
    ...{ replicas: 2, redirectToHttps: true, keepClientIp: true, accessLog: true },
    certificateIssuer: 'home-lab',
  },
  'cert-manager': { issuer: 'lab', commonName: 'Our lab', validityDays: 400, metrics: true },
  netboot: {
    ...{ node: 'kv-worker-1', interface: 'eth1', mode: 'proxy' },
    pool: { first: '10.0.0.210', last: '10.0.0.220' },
    ...{ gateway: null, nameServers: [] },
    boards: [{ name: 'node01', serial: '10000000a1b2c3d4', mac: 'dc:a6:32:01:02:03', boot: 'network' }],
    files: { server: 'nfs.home.lab', path: '/boot-files' },
  },
  storage: {
    export: { server: 'nfs.home.lab', path: '/volumes' },
    ...{ className: 'shared', isDefault: true, whenDeleted: 'delete', mountOptions: ['nfsvers=4.1'] },
  },
  dashboard: {
    ...{ address: '10.0.0.9', access: 'admin', oidcIssuer: 'https://login.home.lab' },
    ...{ oidcClientId: 'headlamp', oidcClientSecret: 'a secret of its own' },
  },
  registry: {
    ...{
      address: '10.0.0.9',
      uiAddress: null,
      chartsAddress: '10.0.0.11',
      size: '9Gi',
      storageClass: 'fast',
    },
    ...{ pullThrough: ['docker.io'], metrics: true },
    htpasswd: `ada:$2y$05$${'a'.repeat(53)}`,
  },
  monitoring: {
    ...{ grafanaAddress: '10.0.0.9', prometheusAddress: '10.0.0.11', pushgatewayAddress: '10.0.0.12' },
    ...{ grafanaPassword: 'not the known one', retentionDays: 3, scrapeIntervalSeconds: 15 },
    ...{ prometheusSize: '9Gi', grafanaSize: '1Gi', storageClass: 'fast', boards: false },
    ...{ alertmanager: true, controlPlane: true },
  },
  'slurm-metrics': {
    ...{ namespace: 'hpc', release: 'ours', targets: ['10.0.0.5:8081'], intervalSeconds: 60, alerts: false },
  },
  logging: {
    ...{ address: '10.0.0.9', retentionDays: 3, size: '9Gi', storageClass: 'fast' },
    ...{ engine: 'elastic', elasticVersion: '9.3.0' },
  },
  sftp: {
    ...{ address: '10.0.0.9', userId: 2001, groupId: 2002, web: true, size: '2Gi', storageClass: 'fast' },
    ...{ adminPassword: 'only for the admin', files: { server: 'nfs.home.lab', path: '/files' } },
  },
  slurm: {
    ...{ address: '10.0.0.9', clusterName: 'ours', release: '24.11', maxNodes: 8, stateSize: '2Gi' },
    accounts: [{ name: 'ada', uid: 2001, gid: 2001 }],
    mounts: [{ server: '10.0.0.20', path: '/srv/home', at: '/home' }],
    submitters: [{ namespace: 'bramble', serviceAccount: 'bramble-worker' }],
    storageClass: 'fast',
  },
};
