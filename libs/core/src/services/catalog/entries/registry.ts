import { z } from 'zod';
import { catalogEntry } from '../catalog-entry.ts';
import { fixedAddressAnnotation } from '../load-balancer.ts';
import { objectsPart } from '../objects-part.ts';
import {
  optionalServiceAddress,
  secretText,
  serviceAddress,
  storageClassName,
  volumeSize,
} from '../setting-fields.ts';
import { MONITOR_KINDS } from './monitor-kinds.ts';

const UPSTREAMS: Readonly<Record<string, string>> = {
  'docker.io': 'https://registry-1.docker.io',
  'ghcr.io': 'https://ghcr.io',
  'quay.io': 'https://quay.io',
  'registry.k8s.io': 'https://registry.k8s.io',
};

export const registry = catalogEntry({
  name: 'registry',
  aliases: ['zot', 'docker-registry', 'registry-ui', 'chartmuseum', 'charts', 'mirror'],
  title: 'zot: images and charts',
  description:
    'A registry for images and Helm charts with pages of its own, in place of three services of the classic lab: the registry, ' +
    'its user interface and ChartMuseum. Charts are pushed with `helm push … oci://`. It speaks plain HTTP, as the nodes of ' +
    'deploy/cluster/install.sh expect it.',
  namespace: 'registry',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
  constraints: { architectures: ['amd64', 'arm64'], kubernetes: '1.25' },
  dependsOn: ['metallb'],
  forceConflicts: false,
  timeoutMs: 600_000,
  settings: (site) =>
    z.strictObject({
      address: serviceAddress(site, 'registry').describe('Address of the registry, port 5000.'),
      uiAddress: optionalServiceAddress(site, 'registry-ui').describe(
        'Address of its pages, port 80. null: they are at the address of the registry only.',
      ),
      chartsAddress: optionalServiceAddress(site, 'charts').describe(
        'Address where charts were in the classic lab, port 80. null: none.',
      ),
      size: volumeSize('50Gi').describe('Size of its volume.'),
      storageClass: storageClassName(site),
      pullThrough: z
        .array(z.enum(['docker.io', 'ghcr.io', 'quay.io', 'registry.k8s.io']))
        .refine((names) => new Set(names).size === names.length, 'must not name one twice')
        .default([])
        .describe(
          'Registries whose images it fetches and keeps when somebody asks for `<registry>/<image>`.',
        ),
      htpasswd: secretText(
        'Who may push, a line of `htpasswd -nbB <name> <password>`. null: everybody. Everybody may pull.',
      ).refine(
        (line) => line === null || /^[^:\s]+:\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(line),
        'must be a line of `htpasswd -nbB`, a name and a bcrypt hash',
      ),
      metrics: z.boolean().default(false).describe('Prometheus scrapes it; needs the service monitoring.'),
    }),
  parts: ({ address, uiAddress, chartsAddress, size, storageClass, pullThrough, htpasswd, metrics }) => [
    {
      release: 'registry',
      chart: {
        kind: 'repository',
        url: 'https://zotregistry.dev/helm-charts',
        ...{ name: 'zot', version: '0.1.122', digest: null },
      },
      values: {
        // Older charts have an image of one architecture as their default.
        image: { repository: 'ghcr.io/project-zot/zot' },
        // The volume is that of one pod: the old one has to go first.
        strategy: { type: 'Recreate' },
        service: { type: 'LoadBalancer', port: 5000, annotations: fixedAddressAnnotation(address) },
        persistence: true,
        pvc: { create: true, storage: size, storageClassName: storageClass },
        mountConfig: true,
        configFiles: {
          'config.json': JSON.stringify(configuration(pullThrough, htpasswd, metrics), null, 2),
        },
        ...(htpasswd === null ? {} : { mountSecret: true, secretFiles: { htpasswd } }),
        metrics: { enabled: metrics, serviceMonitor: { enabled: metrics } },
      },
      ...(metrics ? { constraints: { kinds: MONITOR_KINDS } } : {}),
    },
    ...(uiAddress === null && chartsAddress === null
      ? []
      : [
          objectsPart('registry-addresses', [
            ...(uiAddress === null ? [] : [furtherAddress('registry-ui', uiAddress)]),
            ...(chartsAddress === null ? [] : [furtherAddress('registry-charts', chartsAddress)]),
          ]),
        ]),
  ],
  addressSettings: ['address', 'uiAddress', 'chartsAddress'],
  secretSettings: ['htpasswd'],
});

const furtherAddress = (name: string, address: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, annotations: fixedAddressAnnotation(address) },
  spec: {
    type: 'LoadBalancer',
    selector: { 'app.kubernetes.io/name': 'zot', 'app.kubernetes.io/instance': 'registry' },
    ports: [{ name: 'http', port: 80, targetPort: 'zot' }],
  },
});

/** @see https://zotregistry.dev/latest/admin-guide/admin-configuration/ */
const configuration = (pullThrough: readonly string[], htpasswd: string | null, metrics: boolean) => ({
  storage: { rootDirectory: '/var/lib/registry', gc: true, dedupe: true },
  http: {
    ...{ address: '0.0.0.0', port: '5000' },
    // docker and containerd push manifests in Docker's own format as well.
    compat: ['docker2s2'],
    ...(htpasswd === null
      ? {}
      : {
          auth: { htpasswd: { path: '/secret/htpasswd' } },
          accessControl: {
            repositories: {
              '**': { anonymousPolicy: ['read'], defaultPolicy: ['read', 'create', 'update', 'delete'] },
            },
          },
        }),
  },
  log: { level: 'info' },
  extensions: {
    search: { enable: true },
    ui: { enable: true },
    ...(metrics ? { metrics: { enable: true, prometheus: { path: '/metrics' } } } : {}),
    ...(pullThrough.length === 0
      ? {}
      : {
          sync: {
            enable: true,
            registries: pullThrough.map((name) => ({
              urls: [UPSTREAMS[name]],
              ...{ onDemand: true, tlsVerify: true, maxRetries: 3, retryDelay: '10s' },
              // Otherwise images in Docker's format are rewritten, and nobody finds them by their digests.
              preserveDigest: true,
              content: [{ prefix: '**', destination: `/${name}` }],
            })),
          },
        }),
  },
});
