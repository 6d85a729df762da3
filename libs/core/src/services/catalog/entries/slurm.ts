import { z } from 'zod';
import { fixedAddress } from '../address-plan.ts';
import { catalogEntry } from '../catalog-entry.ts';
import {
  absolutePath,
  hostName,
  objectName,
  siteAddress,
  storageClassName,
  volumeSize,
} from '../setting-fields.ts';
import type { ServiceSite } from '../service-site.ts';

export const slurm = catalogEntry({
  name: 'slurm',
  aliases: ['slurmctld'],
  title: "slurmctld: Slurm's controller",
  description:
    'The controller of a Slurm cluster whose nodes are boards: they fetch their configuration from it and join by themselves. ' +
    "Its release has to suit that of the boards' Debian. The key of munge is made at the first installation, and boards are " +
    'enrolled with it.',
  namespace: 'slurm',
  namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
  constraints: { architectures: ['amd64', 'arm64'], kubernetes: '1.29' },
  dependsOn: ['metallb'],
  forceConflicts: false,
  timeoutMs: 300_000,
  settings: (site) =>
    z.strictObject({
      address: siteAddress(site)
        .prefault(configuredAddress(site) ?? fixedAddress(site, 'slurm'))
        .describe('Address of slurmctld, port 6817.'),
      clusterName: z
        .string()
        .regex(/^[a-z0-9_-]{1,40}$/, 'must be 1 to 40 lower-case letters, digits, "_" or "-"')
        .default('bramble')
        .describe('Name of the cluster.'),
      release: z
        .enum(['22.05', '24.11'])
        .default('22.05')
        .describe('Release of Slurm: 22.05 for boards with Debian 12, 24.11 for Debian 13.'),
      maxNodes: z.int().min(1).max(65_533).default(64).describe('How many boards may join.'),
      accounts: z
        .array(
          z.strictObject({
            name: z
              .string()
              .regex(/^[a-z_][a-z0-9_-]{0,30}$/, 'must be a Unix account')
              .describe('Name of the account.'),
            uid: z.int().min(1000).max(60_000).describe('Its number on every board.'),
            gid: z.int().min(100).max(60_000).describe('Number of its group on every board.'),
          }),
        )
        .default([])
        .describe('Accounts that may have jobs, with the numbers that they have on the boards.'),
      mounts: z
        .array(z.strictObject({ server: hostName, path: absolutePath, at: absolutePath }))
        .default([])
        .describe('Exports of NFS servers that the container to submit from has where the boards have them.'),
      submitters: z
        .array(z.strictObject({ namespace: objectName, serviceAccount: objectName }))
        .default([])
        .describe("Service accounts that may run commands in the pod, such as that of Bramble's worker."),
      stateSize: volumeSize('1Gi').describe('Size of the volume with jobs, nodes and reservations.'),
      storageClass: storageClassName(site),
    }),
  parts: (
    {
      address,
      clusterName,
      release,
      maxNodes,
      accounts,
      mounts,
      submitters: exec,
      stateSize: size,
      storageClass,
    },
    site,
  ) => [
    {
      release: 'slurm',
      chart: { kind: 'own', name: 'slurm' },
      values: {
        image: { repository: `registry.${site.domain}/bramble/slurm` },
        ...{ release, clusterName, address, maxNodes, accounts, mounts, exec },
        state: { size, ...(storageClass === null ? {} : { storageClass }) },
      },
    },
  ],
  addressSettings: ['address'],
  secretSettings: [],
});

/** Where boards are told to find slurmctld already, if that is an address. */
const configuredAddress = ({ slurm: configured }: ServiceSite): string | undefined =>
  configured !== null && z.ipv4().safeParse(configured.host).success ? configured.host : undefined;
