import { z } from 'zod';
import { catalogEntry } from '../catalog-entry.ts';
import { fixedAddressAnnotation } from '../load-balancer.ts';
import { objectsPart } from '../objects-part.ts';
import { objectName, serviceAddress } from '../setting-fields.ts';

const CERTIFICATE = 'ingress-default';

export const ingress = catalogEntry({
  name: 'ingress',
  aliases: ['traefik', 'nginx-ingress', 'ingress-nginx', 'nginx'],
  title: 'Traefik: the ingress controller',
  description:
    'One address for all services that have an Ingress, told apart by host name. It takes the place of ingress-nginx, which ' +
    'gets no corrections any more; an Ingress whose class is `nginx` needs the class `traefik`, or none. k3s brings a Traefik ' +
    'of its own, which has to be off.',
  namespace: 'ingress',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
  constraints: { architectures: ['amd64', 'arm64', 'arm'], kubernetes: '1.25' },
  dependsOn: ['metallb'],
  forceConflicts: false,
  timeoutMs: 300_000,
  settings: (site) =>
    z.strictObject({
      address: serviceAddress(site, 'ingress').describe('Address that host names of services point to.'),
      replicas: z.int().min(1).max(5).default(1).describe('How many of it run.'),
      redirectToHttps: z.boolean().default(false).describe('Sends what comes in over HTTP to HTTPS.'),
      keepClientIp: z
        .boolean()
        .default(false)
        .describe('Services see where requests come from; only nodes that it runs on answer then.'),
      accessLog: z.boolean().default(false).describe('Writes a line for each request.'),
      certificateIssuer: objectName
        .nullable()
        .default(null)
        .describe(
          'ClusterIssuer of cert-manager, such as `home-lab`, for a certificate of all host names of the domain. null: ' +
            "Traefik's own, which no browser knows.",
        ),
    }),
  parts: ({ address, replicas, redirectToHttps, keepClientIp, accessLog, certificateIssuer }, site) => [
    ...(certificateIssuer === null
      ? []
      : [
          objectsPart(
            'ingress-certificate',
            [
              {
                apiVersion: 'cert-manager.io/v1',
                kind: 'Certificate',
                metadata: { name: CERTIFICATE },
                spec: {
                  secretName: CERTIFICATE,
                  dnsNames: [site.domain, `*.${site.domain}`],
                  issuerRef: { name: certificateIssuer, kind: 'ClusterIssuer', group: 'cert-manager.io' },
                },
              },
            ],
            { kinds: ['cert-manager.io/v1/Certificate'] },
          ),
        ]),
    {
      release: 'ingress',
      chart: {
        kind: 'repository',
        url: 'https://traefik.github.io/charts',
        ...{ name: 'traefik', version: '41.5.0' },
        digest: 'sha256:30f8db73182019b2764179d7fc0a7efc9505670204f847ffc3a779bacaae3a1a',
      },
      values: {
        deployment: { replicas },
        ingressClass: { enabled: true, isDefaultClass: true },
        // From 40.0 on all of a Service's own fields are below `spec`.
        service: {
          annotations: fixedAddressAnnotation(address),
          spec: { type: 'LoadBalancer', externalTrafficPolicy: keepClientIp ? 'Local' : 'Cluster' },
        },
        accessLog: { enabled: accessLog },
        ...(redirectToHttps ? { ports: { web: { http: { redirections: { entryPoint: TO_HTTPS } } } } } : {}),
        ...(certificateIssuer === null
          ? {}
          : { tlsStore: { default: { defaultCertificate: { secretName: CERTIFICATE } } } }),
      },
    },
  ],
  addressSettings: ['address'],
  secretSettings: [],
});

const TO_HTTPS = { to: 'websecure', scheme: 'https', permanent: true };
