import { z } from 'zod';
import { catalogEntry } from '../catalog-entry.ts';
import { objectsPart } from '../objects-part.ts';
import { objectName } from '../setting-fields.ts';
import { MONITOR_KINDS } from './monitor-kinds.ts';

export const certManager = catalogEntry({
  name: 'cert-manager',
  aliases: ['certmgr', 'certmanager', 'jetstack'],
  title: 'cert-manager: certificates, with an authority of the lab',
  description:
    "Issues and renews certificates, with an authority of the lab's own as ClusterIssuer. Machines trust it once its " +
    'certificate is installed there: `ca.crt` of the Secret `<issuer>-ca` in the namespace cert-manager. The key of the ' +
    'authority is in that Secret: back it up, and let nobody read Secrets of that namespace.',
  namespace: 'cert-manager',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
  constraints: { architectures: ['amd64', 'arm64', 'arm'], kubernetes: '1.22' },
  dependsOn: [],
  forceConflicts: false,
  timeoutMs: 300_000,
  settings: (site) =>
    z.strictObject({
      issuer: objectName
        .max(50, 'must have at most 50 characters')
        .prefault(site.domain.replaceAll('.', '-'))
        .describe('Name of the ClusterIssuer.'),
      commonName: z
        .string()
        .regex(/^[\p{L}\p{N} .,()'-]{1,64}$/u, 'must be 1 to 64 letters, digits, blanks or ".,()\'-"')
        .prefault(`${site.domain} authority`)
        .describe('What the authority is called in its certificate.'),
      validityDays: z
        .int()
        .min(365)
        .max(36_500)
        .default(3650)
        .describe('How long the certificate of the authority is valid, in days.'),
      metrics: z.boolean().default(false).describe('Prometheus scrapes it; needs the service monitoring.'),
    }),
  parts: ({ issuer, commonName, validityDays, metrics }) => {
    const group = 'cert-manager.io';
    const apiVersion = `${group}/v1`;
    const selfSigned = `${issuer}-self-signed`;
    const authority = `${issuer}-ca`;
    return [
      {
        release: 'cert-manager',
        chart: {
          kind: 'repository',
          url: 'https://charts.jetstack.io',
          ...{ name: 'cert-manager', version: 'v1.21.2' },
          digest: 'sha256:73a56e1728edd6c99f1f31082618c3259d279a76b7ebd3d4bdc5475c2442d34a',
        },
        values: {
          // Without `keep` an uninstallation takes all certificates along.
          crds: { enabled: true, keep: true },
          prometheus: { enabled: true, servicemonitor: { enabled: metrics } },
        },
        ...(metrics ? { constraints: { kinds: MONITOR_KINDS } } : {}),
      },
      objectsPart('cert-manager-authority', [
        { apiVersion, kind: 'ClusterIssuer', metadata: { name: selfSigned }, spec: { selfSigned: {} } },
        {
          apiVersion,
          kind: 'Certificate',
          metadata: { name: authority },
          spec: {
            isCA: true,
            commonName,
            secretName: authority,
            duration: `${validityDays * 24}h`,
            // The default makes a new key at each renewal: machines would have to be told of another authority.
            privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Never' },
            issuerRef: { name: selfSigned, kind: 'ClusterIssuer', group },
          },
        },
        {
          apiVersion,
          kind: 'ClusterIssuer',
          metadata: { name: issuer },
          spec: { ca: { secretName: authority } },
        },
      ]),
    ];
  },
  addressSettings: [],
  secretSettings: [],
});
