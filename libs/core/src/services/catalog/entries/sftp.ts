import { z } from 'zod';
import { catalogEntry } from '../catalog-entry.ts';
import { fixedAddressAnnotation } from '../load-balancer.ts';
import { objectsPart } from '../objects-part.ts';
import { nfsExport, secretText, serviceAddress, storageClassName, volumeSize } from '../setting-fields.ts';

const DATA = '/srv/sftpgo/data';
const ADMIN = 'sftp-admin';

export const sftp = catalogEntry({
  name: 'sftp',
  aliases: ['sftpgo', 'ftp'],
  title: 'SFTPGo: files by SFTP',
  description:
    'Lets people without an account on the boards fetch and bring files of the shared storage, with users of its own. Users ' +
    'are made in its pages, at the port 8080 of the same address where `web` is on. Files belong to `userId` and `groupId`, ' +
    'which the export has to permit.',
  namespace: 'sftp',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
  constraints: { architectures: ['amd64', 'arm64'], kubernetes: '1.23', kernelModules: ['nfs'] },
  dependsOn: ['metallb'],
  forceConflicts: false,
  timeoutMs: 300_000,
  settings: (site) =>
    z
      .strictObject({
        address: serviceAddress(site, 'sftp').describe('Address of the server, port 22.'),
        files: nfsExport(
          site.storage === null ? null : { server: site.storage.server, path: '/srv/sftp' },
        ).describe('Export with the files; each user has a directory below it.'),
        userId: z.int().min(1).max(65_533).default(1000).describe('Unix account that it runs as.'),
        groupId: z.int().min(1).max(65_533).default(1000).describe('Its group.'),
        web: z
          .boolean()
          .default(false)
          .describe('Its pages are at port 8080 of the address, in plain HTTP; needs `adminPassword`.'),
        adminPassword: secretText(
          'Password of the administrator `admin`, made at the first start. null: whoever opens the pages first makes one, so ' +
            'that `web` must be off: `kubectl port-forward` reaches them.',
        ),
        size: volumeSize('1Gi').describe('Size of the volume with its users and host keys.'),
        storageClass: storageClassName(site),
      })
      .refine(({ web, adminPassword }) => !web || adminPassword !== null, {
        path: ['adminPassword'],
        error: 'must be given as long as "web" is true: the first visitor would become the administrator',
      }),
  parts: ({ address, files, userId, groupId, web, adminPassword, size, storageClass }) => [
    ...(adminPassword === null
      ? []
      : [
          objectsPart('sftp-admin', [
            {
              apiVersion: 'v1',
              kind: 'Secret',
              metadata: { name: ADMIN },
              type: 'Opaque',
              // Not `stringData`: the API server does not give that back, and it would look as if somebody had taken it away.
              data: {
                SFTPGO_DEFAULT_ADMIN_USERNAME: base64('admin'),
                SFTPGO_DEFAULT_ADMIN_PASSWORD: base64(adminPassword),
              },
            },
          ]),
        ]),
    {
      release: 'sftp',
      chart: {
        kind: 'oci',
        url: 'oci://ghcr.io/sftpgo/helm-charts/sftpgo',
        version: '0.47.0',
        digest: 'sha256:110fd51f708e48b5a187971d4ea76d837bca24172af155fd9fa37e1d80dfb6bf',
      },
      values: {
        // Its users are in a file of one pod: the old one has to go first.
        deploymentStrategy: { type: 'Recreate' },
        podSecurityContext: { runAsUser: userId, runAsGroup: groupId, fsGroup: groupId },
        service: { type: 'ClusterIP' },
        services: {
          public: {
            type: 'LoadBalancer',
            annotations: fixedAddressAnnotation(address),
            ports: { sftp: { port: 22 }, ...(web ? { http: { port: 8080 } } : {}) },
          },
        },
        // The chart's file takes the place of the image's, which has this directory in it.
        config: {
          data_provider: { create_default_admin: adminPassword !== null, users_base_dir: DATA },
        },
        ...(adminPassword === null ? {} : { envFrom: [{ secretRef: { name: ADMIN } }] }),
        persistence: {
          enabled: true,
          pvc: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: size } },
            ...(storageClass === null ? {} : { storageClassName: storageClass }),
          },
        },
        volumes: [{ name: 'files', nfs: files }],
        volumeMounts: [{ name: 'files', mountPath: DATA }],
      },
    },
  ],
  addressSettings: ['address'],
  secretSettings: ['adminPassword'],
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
