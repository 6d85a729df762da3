import { z } from 'zod';
import { catalogEntry } from '../catalog-entry.ts';
import { fixedAddressAnnotation } from '../load-balancer.ts';
import { secretText, serviceAddress } from '../setting-fields.ts';

const OIDC = ['oidcIssuer', 'oidcClientId', 'oidcClientSecret'] as const;

export const dashboard = catalogEntry({
  name: 'dashboard',
  aliases: ['headlamp', 'kubernetes-dashboard', 'k8sdashboard'],
  title: 'Headlamp: a view of the cluster',
  description:
    'Pages with what is in the cluster, in place of kubernetes-dashboard, which was archived. One signs in with a token, such ' +
    'as `kubectl create token dashboard-headlamp --namespace dashboard` prints, and may do there what the owner of the token ' +
    'may. It speaks plain HTTP: use it in the lab, or behind the ingress.',
  namespace: 'dashboard',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
  constraints: { architectures: ['amd64', 'arm64', 'arm'], kubernetes: '1.21' },
  dependsOn: ['metallb'],
  forceConflicts: false,
  timeoutMs: 300_000,
  settings: (site) =>
    z
      .strictObject({
        address: serviceAddress(site, 'dashboard').describe('Address of the pages, port 80.'),
        access: z
          .enum(['view', 'edit', 'admin', 'cluster-admin'])
          .default('view')
          .describe("Cluster role of its own service account. The chart's default would be cluster-admin."),
        oidcIssuer: z
          .url({ protocol: /^https$/, error: 'must be a URL that begins with https://' })
          .nullable()
          .default(null)
          .describe('Signs people in by OpenID Connect; the API server must be set up for the same issuer.'),
        oidcClientId: z
          .string()
          .min(1, 'must not be empty')
          .max(256, 'must have at most 256 characters')
          .nullable()
          .default(null)
          .describe('Client that the issuer knows it by.'),
        oidcClientSecret: secretText('Secret of that client.'),
      })
      .superRefine((settings, context) => {
        const given = OIDC.filter((name) => settings[name] !== null);
        if (given.length === 0 || given.length === OIDC.length) return;
        for (const name of OIDC.filter((other) => settings[other] === null))
          context.addIssue({
            ...{ code: 'custom', path: [name] },
            message: `must be given together with ${given.join(' and ')}`,
          });
      }),
  parts: ({ address, access, oidcIssuer, oidcClientId, oidcClientSecret }) => [
    {
      release: 'dashboard',
      chart: {
        kind: 'repository',
        url: 'https://kubernetes-sigs.github.io/headlamp/',
        ...{ name: 'headlamp', version: '0.45.0', digest: null },
      },
      values: {
        service: { type: 'LoadBalancer', port: 80, annotations: fixedAddressAnnotation(address) },
        clusterRoleBinding: { create: true, clusterRoleName: access },
        ...(oidcIssuer === null
          ? {}
          : {
              config: {
                oidc: {
                  secret: { create: true, name: 'oidc' },
                  ...{ issuerURL: oidcIssuer, clientID: oidcClientId, clientSecret: oidcClientSecret },
                },
              },
            }),
      },
    },
  ],
  addressSettings: ['address'],
  secretSettings: ['oidcClientSecret'],
});
