import { z } from 'zod';
import { catalogEntry } from '../catalog-entry.ts';
import { fixedAddressAnnotation } from '../load-balancer.ts';
import { serviceAddress } from '../setting-fields.ts';
import { MONITOR_KINDS } from './monitor-kinds.ts';
import { recordSchema, zoneFile, zoneRecords } from './zone-file.ts';

export const dns = catalogEntry({
  name: 'dns',
  aliases: ['coredns', 'bind'],
  title: "CoreDNS: the lab's names",
  description:
    "A name server for the network, beside the cluster's own: it answers for the lab's domain from the inventory and the " +
    "plan of addresses, and asks others for the rest. The cluster's own has to be told of the zone (`--zone` of " +
    'deploy/cluster/install.sh). Boards that are enrolled later are known after the service was applied again.',
  namespace: 'dns',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
  constraints: { architectures: ['amd64', 'arm64', 'arm'], kubernetes: '1.26' },
  dependsOn: ['metallb'],
  forceConflicts: false,
  timeoutMs: 300_000,
  settings: (site) =>
    z.strictObject({
      address: serviceAddress(site, 'dns').describe('Address that machines ask for names.'),
      upstreams: z
        .array(z.ipv4('must be an IPv4 address'))
        .min(1, 'must name at least one server that is asked for all other names')
        .max(3, 'must have at most 3 servers')
        .default(['1.1.1.1', '9.9.9.9'])
        .describe('Name servers that are asked for everything outside of the domain.'),
      records: z
        .array(recordSchema)
        .default([])
        .describe(
          'Further names, or other addresses for those of boards and services; `*.apps` covers all below.',
        ),
      ttlSeconds: z
        .int()
        .min(5)
        .max(86_400)
        .default(300)
        .describe('How long answers may be kept, in seconds.'),
      replicas: z.int().min(1).max(5).default(2).describe('How many of it run.'),
      metrics: z.boolean().default(false).describe('Prometheus scrapes it; needs the service monitoring.'),
    }),
  parts: ({ address, upstreams, records, ttlSeconds, replicas, metrics }, site) => {
    const file = `${site.domain}.db`;
    const own = { name: site.domain, file: `/etc/coredns/${file}` };
    return [
      {
        release: 'lab-dns',
        chart: {
          ...{ kind: 'oci', url: 'oci://ghcr.io/coredns/charts/coredns', version: '1.48.2', digest: null },
        },
        values: {
          // Otherwise it calls itself kube-dns, as the cluster's own does.
          isClusterService: false,
          replicaCount: replicas,
          serviceType: 'LoadBalancer',
          service: { annotations: fixedAddressAnnotation(address) },
          prometheus: { service: { enabled: metrics }, monitor: { enabled: metrics } },
          servers: [
            {
              zones: [{ zone: `${own.name}.`, use_tcp: true }],
              port: 53,
              plugins: [{ name: 'errors' }, { name: 'file', parameters: `${own.file} ${own.name}` }],
            },
            {
              zones: [{ zone: '.', use_tcp: true }],
              port: 53,
              plugins: [
                { name: 'errors' },
                { name: 'health', configBlock: 'lameduck 5s' },
                { name: 'ready' },
                { name: 'prometheus', parameters: '0.0.0.0:9153' },
                { name: 'forward', parameters: `. ${upstreams.join(' ')}` },
                { name: 'cache', parameters: '30' },
                { name: 'reload' },
                { name: 'loadbalance' },
              ],
            },
          ],
          zoneFiles: [
            {
              filename: file,
              domain: site.domain,
              contents: zoneFile(site.domain, { address, ttlSeconds }, zoneRecords(site, address, records)),
            },
          ],
        },
        ...(metrics ? { constraints: { kinds: MONITOR_KINDS } } : {}),
      },
    ];
  },
  addressSettings: ['address'],
  secretSettings: [],
});
