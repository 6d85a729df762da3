import { z } from 'zod';
import { catalogEntry } from '../catalog-entry.ts';
import { objectsPart } from '../objects-part.ts';
import { objectName } from '../setting-fields.ts';

const OUT_OF_SERVICE = 'down|not_responding|error|inval';

export const slurmMetrics = catalogEntry({
  name: 'slurm-metrics',
  aliases: ['slurm-exporter', 'slurm_exporter', 'prometheus-slurm-exporter'],
  title: "Slurm's metrics and alerts",
  description:
    "Has Prometheus scrape Bramble's workers, whose leader tells of Slurm's nodes, partitions and jobs, and adds alerts. No " +
    'exporter of its own: it would ask slurmctld the same again. Leave out `metrics.serviceMonitor` in the chart of Bramble, ' +
    'or everything is scraped twice.',
  namespace: 'monitoring',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
  constraints: {
    kinds: ['monitoring.coreos.com/v1/PodMonitor', 'monitoring.coreos.com/v1/PrometheusRule'],
  },
  dependsOn: ['monitoring'],
  forceConflicts: false,
  timeoutMs: 60_000,
  settings: () =>
    z.strictObject({
      namespace: objectName.default('bramble').describe('Namespace that Bramble is installed in.'),
      release: objectName.default('bramble').describe('Name of its release.'),
      targets: z
        .array(
          z
            .string()
            .regex(
              /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?:\d{1,5}$/,
              'must be a host and a port, such as "10.0.0.5:8081"',
            ),
        )
        .default([])
        .describe('Workers and APIs outside of Kubernetes that answer with /metrics.'),
      intervalSeconds: z.int().min(10).max(300).default(30).describe('How often they are asked, in seconds.'),
      alerts: z
        .boolean()
        .default(true)
        .describe('Alerts about nodes that do not work, and about an old answer.'),
    }),
  parts: ({ namespace, release, targets, intervalSeconds, alerts }) => [
    objectsPart('slurm-metrics', [
      {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'PodMonitor',
        metadata: { name: 'bramble' },
        spec: {
          namespaceSelector: { matchNames: [namespace] },
          selector: {
            matchLabels: { 'app.kubernetes.io/name': 'bramble', 'app.kubernetes.io/instance': release },
            matchExpressions: [
              { key: 'app.kubernetes.io/component', operator: 'In', values: ['api', 'worker'] },
            ],
          },
          podMetricsEndpoints: [{ port: 'http', path: '/metrics', interval: `${intervalSeconds}s` }],
        },
      },
      ...(targets.length === 0
        ? []
        : [
            {
              apiVersion: 'monitoring.coreos.com/v1alpha1',
              kind: 'ScrapeConfig',
              metadata: { name: 'bramble' },
              spec: { staticConfigs: [{ targets }], scrapeInterval: `${intervalSeconds}s` },
            },
          ]),
      ...(alerts ? [ALERTS] : []),
    ]),
  ],
  addressSettings: [],
  secretSettings: [],
});

const ALERTS = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: 'slurm' },
  spec: {
    groups: [
      {
        name: 'slurm',
        rules: [
          {
            alert: 'SlurmNodeOutOfService',
            expr: `max by (node, state) (bramble_slurm_node_state{state=~"${OUT_OF_SERVICE}"}) == 1`,
            for: '10m',
            labels: { severity: 'warning' },
            annotations: { summary: 'The node {{ $labels.node }} is {{ $labels.state }}.' },
          },
          {
            alert: 'SlurmNotObserved',
            expr: 'time() - max(bramble_slurm_observed_timestamp_seconds) > 300',
            for: '5m',
            labels: { severity: 'critical' },
            annotations: { summary: 'Nobody has had an answer of slurmctld for more than five minutes.' },
          },
        ],
      },
    ],
  },
};
