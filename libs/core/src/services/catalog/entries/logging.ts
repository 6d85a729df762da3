import { z } from 'zod';
import type { PartValues } from '../catalog-entry.ts';
import { catalogEntry } from '../catalog-entry.ts';
import { fixedAddressAnnotation } from '../load-balancer.ts';
import { serviceAddress, storageClassName, volumeSize } from '../setting-fields.ts';
import { elasticParts } from './elastic.ts';

const SERVER = 'http://logs-victoria-logs-single-server:9428';

export const logging = catalogEntry({
  name: 'logging',
  aliases: ['efk', 'elk', 'elasticsearch', 'kibana', 'fluentd', 'metricbeat', 'victoria-logs', 'loki'],
  title: 'Logs of all pods',
  description:
    'Collects what containers write and keeps it for a while. VictoriaLogs does it with a tenth of the memory that ' +
    'Elasticsearch wants; `engine: elastic` runs Elasticsearch, Kibana and Filebeat instead. Fluentd and Fluent Bit are not ' +
    "offered: their images abort on the Raspberry Pi 5's kernel. Going from one engine to the other leaves the old logs behind.",
  namespace: 'logging',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
  constraints: { architectures: ['amd64', 'arm64'], kubernetes: '1.25' },
  dependsOn: ['metallb'],
  forceConflicts: false,
  timeoutMs: 900_000,
  settings: (site) =>
    z.strictObject({
      engine: z
        .enum(['victoria', 'elastic'])
        .default('victoria')
        .describe('victoria: VictoriaLogs. elastic: Elasticsearch and Kibana, by their operator.'),
      address: serviceAddress(site, 'logs').describe(
        'Address where logs are read: port 9428 (/select/vmui/) of VictoriaLogs, port 5601 of Kibana.',
      ),
      retentionDays: z
        .int()
        .min(1)
        .max(365)
        .default(14)
        .describe('How long logs are kept, in days. VictoriaLogs; Elasticsearch has policies of its own.'),
      size: volumeSize('20Gi').describe('Size of the volume.'),
      storageClass: storageClassName(site),
      elasticVersion: z
        .string()
        .regex(/^[89]\.\d{1,2}\.\d{1,2}$/, 'must be a release of the Elastic Stack, such as "9.2.1"')
        .default('9.2.1')
        .describe('Release of Elasticsearch, Kibana and Filebeat.'),
    }),
  parts: (settings): PartValues[] =>
    settings.engine === 'elastic'
      ? elasticParts(settings)
      : [
          {
            release: 'logs',
            chart: {
              kind: 'oci',
              url: 'oci://ghcr.io/victoriametrics/helm-charts/victoria-logs-single',
              ...{ version: '0.13.9', digest: null },
            },
            values: {
              server: {
                retentionPeriod: `${settings.retentionDays}d`,
                persistentVolume: {
                  ...{ enabled: true, size: settings.size },
                  ...(settings.storageClass === null ? {} : { storageClassName: settings.storageClass }),
                },
                service: {
                  ...{ type: 'LoadBalancer', servicePort: 9428 },
                  // The chart's `None` is for a service inside of the cluster only.
                  clusterIP: '',
                  annotations: fixedAddressAnnotation(settings.address),
                },
              },
            },
            constraints: { memoryMebibytes: 900 },
          },
          {
            release: 'logs-collector',
            chart: {
              kind: 'oci',
              url: 'oci://ghcr.io/victoriametrics/helm-charts/victoria-logs-collector',
              ...{ version: '0.3.7', digest: null },
            },
            values: {
              remoteWrite: [{ url: SERVER }],
              // Control planes have logs as well.
              tolerations: [{ operator: 'Exists' }],
            },
          },
        ],
  addressSettings: ['address'],
  secretSettings: [],
});
