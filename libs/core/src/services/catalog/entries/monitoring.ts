import { z } from 'zod';
import { catalogEntry } from '../catalog-entry.ts';
import { fixedAddressAnnotation } from '../load-balancer.ts';
import { secretText, serviceAddress, storageClassName, volumeSize } from '../setting-fields.ts';
import type { ServiceSite } from '../service-site.ts';

/** Of the exporters that enrolment installs on boards. */
const BOARDS_EXPORTER_PORT = 9100;
/** Of the chart's, on the network of every node. */
const NODES_EXPORTER_PORT = 9101;

export const monitoring = catalogEntry({
  name: 'monitoring',
  aliases: ['prometheus', 'grafana', 'pushgateway', 'kube-prometheus-stack', 'alertmanager'],
  title: 'Prometheus, Grafana and Pushgateway',
  description:
    "Measures the cluster's nodes and pods, and the boards of the inventory by their node_exporter. Grafana shows every " +
    "ConfigMap with the label `grafana_dashboard`, Bramble's among them (`dashboards.enabled` of its chart). Boards that are " +
    'enrolled later are measured after the service was applied again.',
  namespace: 'monitoring',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
  constraints: { architectures: ['amd64', 'arm64'], kubernetes: '1.25', memoryMebibytes: 1800 },
  dependsOn: ['metallb'],
  forceConflicts: false,
  timeoutMs: 900_000,
  settings: (site) =>
    z.strictObject({
      grafanaAddress: serviceAddress(site, 'grafana').describe('Address of Grafana, port 80.'),
      prometheusAddress: serviceAddress(site, 'prometheus').describe('Address of Prometheus, port 9090.'),
      pushgatewayAddress: serviceAddress(site, 'pushgateway').describe('Address of Pushgateway, port 9091.'),
      grafanaPassword: secretText(
        'Password of `admin` in Grafana. null: a random one, in the Secret monitoring-grafana.',
      ),
      retentionDays: z
        .int()
        .min(1)
        .max(3650)
        .default(15)
        .describe('How long measurements are kept, in days.'),
      scrapeIntervalSeconds: z
        .int()
        .min(10)
        .max(300)
        .default(30)
        .describe('How often it measures, in seconds. Dashboards need at least two in a minute.'),
      prometheusSize: volumeSize('20Gi').describe("Size of Prometheus' volume. It must not be on NFS."),
      grafanaSize: volumeSize('2Gi').describe("Size of Grafana's volume."),
      storageClass: storageClassName(site),
      boards: z.boolean().default(true).describe('Measures the boards of the inventory, port 9100.'),
      alertmanager: z.boolean().default(false).describe('Runs Alertmanager, which sends alerts on.'),
      controlPlane: z
        .boolean()
        .default(false)
        .describe(
          'Measures etcd, scheduler, controller manager and kube-proxy as well. Not with k3s, which has them in one process.',
        ),
    }),
  parts: (settings, site) => [
    {
      release: 'monitoring',
      chart: {
        kind: 'oci',
        url: 'oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack',
        ...{ version: '91.9.0', digest: null },
      },
      values: {
        grafana: {
          // The chart's own is `prom-operator`, for everybody; without one Grafana's chart makes it at random and keeps it.
          adminPassword: settings.grafanaPassword,
          // The volume is that of one pod: the old one has to go first.
          deploymentStrategy: { type: 'Recreate' },
          service: {
            ...{ type: 'LoadBalancer', port: 80 },
            annotations: fixedAddressAnnotation(settings.grafanaAddress),
          },
          persistence: {
            ...{ enabled: true, size: settings.grafanaSize },
            ...(settings.storageClass === null ? {} : { storageClassName: settings.storageClass }),
          },
          sidecar: {
            dashboards: {
              ...{ searchNamespace: 'ALL', folderAnnotation: 'grafana_folder' },
              provider: { foldersFromFilesStructure: true },
            },
          },
        },
        prometheus: {
          service: {
            type: 'LoadBalancer',
            annotations: fixedAddressAnnotation(settings.prometheusAddress),
          },
          prometheusSpec: {
            retention: `${settings.retentionDays}d`,
            scrapeInterval: `${settings.scrapeIntervalSeconds}s`,
            // Otherwise only monitors count that carry the label of this very release.
            ...{ serviceMonitorSelectorNilUsesHelmValues: false, podMonitorSelectorNilUsesHelmValues: false },
            ...{ ruleSelectorNilUsesHelmValues: false, probeSelectorNilUsesHelmValues: false },
            scrapeConfigSelectorNilUsesHelmValues: false,
            storageSpec: {
              volumeClaimTemplate: {
                spec: {
                  ...(settings.storageClass === null ? {} : { storageClassName: settings.storageClass }),
                  accessModes: ['ReadWriteOnce'],
                  resources: { requests: { storage: settings.prometheusSize } },
                },
              },
            },
            additionalScrapeConfigs: settings.boards ? boardTargets(site) : [],
          },
        },
        // A board that is a node as well has an exporter of its own on the usual port.
        'prometheus-node-exporter': {
          service: { port: NODES_EXPORTER_PORT, targetPort: NODES_EXPORTER_PORT },
        },
        alertmanager: { enabled: settings.alertmanager },
        kubeEtcd: { enabled: settings.controlPlane },
        kubeScheduler: { enabled: settings.controlPlane },
        kubeControllerManager: { enabled: settings.controlPlane },
        kubeProxy: { enabled: settings.controlPlane },
      },
    },
    {
      release: 'pushgateway',
      chart: {
        kind: 'oci',
        url: 'oci://ghcr.io/prometheus-community/charts/prometheus-pushgateway',
        ...{ version: '3.9.0', digest: null },
      },
      values: {
        service: { type: 'LoadBalancer', port: 9091 },
        serviceAnnotations: fixedAddressAnnotation(settings.pushgatewayAddress),
        serviceMonitor: { enabled: true, namespace: 'monitoring' },
      },
    },
  ],
  addressSettings: ['grafanaAddress', 'prometheusAddress', 'pushgatewayAddress'],
  secretSettings: ['grafanaPassword'],
});

/** One job for all boards; `instance` is a board's name, as the dashboards have it. */
const boardTargets = ({ boards }: ServiceSite) =>
  boards.length === 0
    ? []
    : [
        {
          job_name: 'boards',
          static_configs: boards.map(({ name, address, roles }) => ({
            targets: [`${address}:${BOARDS_EXPORTER_PORT}`],
            labels: { instance: name, roles: roles.join(',') },
          })),
        },
      ];
