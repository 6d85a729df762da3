import { z } from 'zod';
import { catalogEntry } from '../catalog-entry.ts';
import { nfsExport, objectName } from '../setting-fields.ts';

export const storage = catalogEntry({
  name: 'storage',
  aliases: ['nfs', 'persistent-volumes', 'csi-driver-nfs', 'storage-class'],
  title: 'NFS driver: volumes on the storage board',
  description:
    'A storage class that makes each volume a directory of the NFS export. Nodes mount it themselves: their kernels need the ' +
    'NFS client, and the export `no_root_squash` for them. Databases do not belong there: Prometheus and others want a disk ' +
    "of the node, such as k3s's `local-path`.",
  namespace: 'storage',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
  constraints: { architectures: ['amd64', 'arm64', 'arm'], kubernetes: '1.25', kernelModules: ['nfs'] },
  dependsOn: [],
  forceConflicts: false,
  timeoutMs: 300_000,
  settings: (site) =>
    z.strictObject({
      export: nfsExport(site.storage).describe('Where volumes are made.'),
      className: objectName.default('nfs').describe('Name of the storage class.'),
      isDefault: z
        .boolean()
        .default(false)
        .describe(
          'Claims without a class take this one. The class that was the default before stays one, too.',
        ),
      whenDeleted: z
        .enum(['keep', 'delete'])
        .default('keep')
        .describe('What becomes of the directory when the claim is deleted.'),
      mountOptions: z
        .array(
          z.string().regex(/^[a-z0-9_]+(=[A-Za-z0-9._:-]+)?$/, 'must be like "nfsvers=4.2" or "noatime"'),
        )
        .default(['nfsvers=4.2', 'hard', 'noatime'])
        .describe('Options of `mount -t nfs`.'),
    }),
  parts: ({ export: { server, path }, className, isDefault, whenDeleted, mountOptions }) => [
    {
      release: 'csi-driver-nfs',
      chart: {
        kind: 'repository',
        url: 'https://raw.githubusercontent.com/kubernetes-csi/csi-driver-nfs/master/charts',
        ...{ name: 'csi-driver-nfs', version: '4.13.4', digest: null },
      },
      values: {
        // Snapshots would bring three kinds that nothing here uses, and that other drivers bring as well.
        controller: { enableSnapshotter: false },
        externalSnapshotter: { enabled: false, customResourceDefinitions: { enabled: false } },
        storageClass: {
          create: true,
          name: className,
          annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) },
          parameters: {
            ...{ server, share: path },
            subDir: '${pvc.metadata.namespace}/${pvc.metadata.name}',
            onDelete: whenDeleted === 'keep' ? 'retain' : 'delete',
          },
          reclaimPolicy: 'Delete',
          volumeBindingMode: 'Immediate',
          mountOptions,
        },
      },
    },
  ],
  addressSettings: [],
  secretSettings: [],
});
