import { z } from 'zod';

/** What a board does for the cluster. One board may have both roles. */
export const BOARD_ROLES = ['storage', 'compute'] as const;
export const boardRoleSchema = z.enum(BOARD_ROLES);
export type BoardRole = z.output<typeof boardRoleSchema>;

/** What a board is, as it says itself. */
export const boardFactsSchema = z
  .object({
    model: z
      .string()
      .nullable()
      .describe('Model by the device tree, such as "Raspberry Pi 4 Model B Rev 1.4".'),
    serial: z.string().nullable().describe('Serial number of the board, hexadecimal.'),
    revision: z
      .string()
      .nullable()
      .describe('Revision code of the board, hexadecimal, as /proc/cpuinfo has it.'),
    machineId: z.string().describe('/etc/machine-id; cards that were cloned share it.'),
    hostname: z.string(),
    architecture: z.string().describe("Debian's name of it, such as `arm64`; the kernel's own may differ."),
    cpus: z.int().positive(),
    memoryMebibytes: z.int().positive(),
    pageSizeBytes: z.int().positive(),
    os: z.string().describe('ID and version of /etc/os-release, such as `debian 12`.'),
    kernel: z.string(),
    disks: z
      .array(
        z.object({
          name: z.string().describe('Such as `mmcblk0` or `sda`.'),
          sizeMebibytes: z.int(),
          model: z.string().nullable(),
          serial: z.string().nullable().describe('What `wipe` names where a disk is to be emptied.'),
        }),
      )
      .describe('Whole disks, cards among them.'),
    temperatureCelsius: z.number().nullable(),
    throttled: z
      .array(z.string())
      .nullable()
      .describe(
        'What `vcgencmd get_throttled` tells, now and since the start; null where it cannot be asked.',
      ),
    clockSkewSeconds: z.number().describe("The board's clock less that of the worker."),
  })
  .meta({ id: 'BoardFacts' });
export type BoardFacts = z.output<typeof boardFactsSchema>;

const absolutePath = z
  .string()
  .max(200)
  .regex(
    /^(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/,
    'must be an absolute path of letters, digits, "_", "." and "-"',
  );

/** The static address that a board is to have. */
export const boardNetworkSchema = z
  .strictObject({
    address: z.ipv4('must be an IPv4 address'),
    prefixLength: z.int().min(8).max(30).default(24),
    gateway: z.ipv4('must be an IPv4 address').nullable().default(null),
    nameServers: z.array(z.ipv4('must be an IPv4 address')).max(3).default([]),
  })
  .meta({ id: 'BoardNetwork' });
export type BoardNetwork = z.output<typeof boardNetworkSchema>;

/** What a storage board has to offer. */
export const boardStorageSchema = z
  .strictObject({
    disk: z
      .string()
      .regex(
        /^\/dev\/[A-Za-z0-9_][A-Za-z0-9._:+=@/-]*$/,
        'must be a device such as "/dev/sda" or "/dev/disk/by-id/…"',
      )
      .refine((path) => !path.split('/').includes('..'), 'must not have ".." in it')
      .max(200)
      .nullable()
      .default(null)
      .describe('Disk that is partitioned; null exports directories of the disk that the system is on.'),
    wipe: z
      .string()
      .min(1)
      .max(100)
      .nullable()
      .default(null)
      .describe('Serial number of the disk, as lsblk shows it: everything on that disk may be destroyed.'),
    partitions: z
      .array(
        z.strictObject({
          label: z
            .string()
            .regex(/^[a-z][a-z0-9-]{0,14}$/, 'must be 1 to 15 lower-case letters, digits or "-"')
            .describe('File system label; the directory is /srv/<label>.'),
          sizeMebibytes: z.int().min(16).nullable().default(null).describe('null takes what is left.'),
          mountedAt: absolutePath
            .nullable()
            .default(null)
            .describe('Where compute boards mount it; null does not export it.'),
        }),
      )
      .min(1)
      .max(16)
      .refine(
        (partitions) => new Set(partitions.map(({ label }) => label)).size === partitions.length,
        'must not use a label twice',
      )
      .refine(
        (partitions) => partitions.slice(0, -1).every(({ sizeMebibytes }) => sizeMebibytes !== null),
        'must give a size for all but the last',
      ),
    packageCache: z
      .boolean()
      .default(true)
      .describe('Whether apt-cacher-ng serves packages to the other boards.'),
  })
  .meta({ id: 'BoardStorage' });
export type BoardStorage = z.output<typeof boardStorageSchema>;

/** A board as the database holds it: what it is to be, and how it is reached. */
export interface Board {
  id: string;
  /** Grows by one with every change: what a compare-and-set compares. */
  version: number;
  /** Its host name in the cluster. */
  name: string;
  /** IPv4 address at which it is reached. */
  address: string;
  sshPort: number;
  /** Account that Bramble signs in as. */
  signInUser: string;
  /** Fingerprint of its host key; null until the first connection, where the admin has allowed to take that one's. */
  hostKeySha256: string | null;
  roles: BoardRole[];
  labels: Record<string, string>;
  /** null leaves the board's network as it is. */
  network: BoardNetwork | null;
  /** What a storage board offers; null for others. */
  storage: BoardStorage | null;
  /** Whether it is only planned with: it takes part in nothing, and is soon forgotten. */
  trial: boolean;
  /** Password or key of the admin, sealed; forgotten once the managed key is installed. */
  sealedSignIn: string | null;
  /** Password of sudo, sealed; null where sudo asks for none. */
  sealedSudoPassword: string | null;
  facts: BoardFacts | null;
  factsAt: Date | null;
  createdAt: Date;
}

/** Fields of a board that may change after it was made. */
export type BoardPatch = Partial<Omit<Board, 'id' | 'version' | 'createdAt'>>;
