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
    machineId: z.string().describe('/etc/machine-id; cards that were cloned share it.'),
    hostname: z.string(),
    architecture: z.string().describe("Debian's name of it, such as `arm64`; the kernel's own may differ."),
    cpus: z.int().positive(),
    memoryMebibytes: z.int().positive(),
    pageSizeBytes: z.int().positive(),
    os: z.string().describe('ID and version of /etc/os-release, such as `debian 12`.'),
    kernel: z.string(),
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
