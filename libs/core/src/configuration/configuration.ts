import { z } from 'zod';
import { accountNameSchema } from '../access/user.ts';
import { fieldPath } from '../vocabulary/field-path.ts';

const absolutePath = z
  .string()
  .regex(
    /^(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/,
    'must be an absolute path of letters, digits, "_", "." and "-"',
  );
const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);
/** Scheme, host and port, as browsers send them in `Origin`. */
const origins = z.string().transform((text, context) => {
  const list = text.split(',').map((part) => part.trim());
  for (const origin of list) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue;
    context.addIssue({
      code: 'custom',
      message: 'must be origins such as "https://lab.example", separated by commas',
    });
  }
  return list;
});
const ipv4 = z.ipv4('must be IPv4 addresses');
/** Texts separated by commas, each read by `read`; undefined from it is a fault. */
const listOf = <T>(read: (text: string) => T | undefined, message: string) =>
  z.string().transform((text, context) =>
    text.split(',').flatMap((part): T[] => {
      const value = read(part.trim());
      if (value === undefined) context.addIssue({ code: 'custom', message });
      return value === undefined ? [] : [value];
    }),
  );
const HOST = '[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?';
const PATH = '(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)+';
/** A label of Kubernetes with its value. */
const LABEL =
  '([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?=[A-Za-z0-9._-]{0,63}';
const kubernetesName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
    'must be a name of Kubernetes: lower-case letters, digits, "-" and "."',
  );

function readAccount(text: string) {
  const [, name = '', uid, gid] = /^([a-z_][a-z0-9_-]{0,31}):(\d{1,9})(?::(\d{1,9}))?$/.exec(text) ?? [];
  if (uid === undefined || Number(uid) < 1000) return undefined;
  return { name, uid: Number(uid), gid: Number(gid ?? uid) };
}

function readMount(text: string) {
  const [, server, path, at] =
    new RegExp(`^(${HOST.replace('(', '(?:')}):(${PATH})=(${PATH})$`).exec(text) ?? [];
  return server === undefined || path === undefined || at === undefined ? undefined : { server, path, at };
}

function readHostAndPort(text: string) {
  const [, host, portText = '6817'] =
    new RegExp(`^(${HOST.replace('(', '(?:')})(?::(\\d{1,5}))?$`).exec(text) ?? [];
  return host === undefined || Number(portText) > 65_535 ? undefined : { host, port: Number(portText) };
}

const flag = z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] });

/** What the api and the worker share. An empty or blank variable counts as not set. */
const sharedShape = {
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a URL postgres://…' })
    .optional()
    .describe('PostgreSQL 14 or newer. Left out: an embedded PostgreSQL below BRAMBLE_HOME.'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: 'must be a URL redis://… or rediss://…' })
    .optional()
    .describe('Redis 6.2 or newer for the queues. Left out: the queues live in PostgreSQL.'),
  BRAMBLE_HOME: absolutePath
    .default('/var/lib/bramble')
    .describe('Where the embedded database and the first key are kept.'),
  BRAMBLE_STORAGE_ROOT: absolutePath
    .optional()
    .describe('The shared storage as this process sees it. Left out: `storage` below BRAMBLE_HOME.'),
  BRAMBLE_STORAGE_CLUSTER_ROOT: absolutePath
    .optional()
    .describe('The same directory as the nodes of the cluster see it. Left out: the same path.'),
  BRAMBLE_STORAGE_GROUP_ID: z.coerce
    .number()
    .int()
    .min(1)
    .max(4_294_967_294)
    .optional()
    .describe('Group that may read run directories, for an api that is not root. Left out: the owner alone.'),
  BRAMBLE_SECRET_KEYS: z
    .string()
    .transform((text) => text.split(',').map((key) => key.trim()))
    .refine(
      (keys) => keys.every((key) => /^[A-Za-z0-9+/]{43}=$/.test(key)),
      'must be keys of 32 bytes in base64, as "openssl rand -base64 32" prints them, separated by commas',
    )
    .optional()
    .describe(
      'Keys that seal passwords and private keys of boards in the database; the first seals, all open. ' +
        'Left out: one that the first start makes below BRAMBLE_HOME.',
    ),
  BRAMBLE_DOMAIN: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'must be a DNS domain such as "home.lab"')
    .default('home.lab')
    .describe('DNS domain of the boards.'),
  BRAMBLE_BOARD_SUBNET: z
    .cidrv4('must be a subnet such as "10.0.0.0/24"')
    .default('10.0.0.0/24')
    .describe('IPv4 subnet of the boards: storage is exported to it, and discovery looks nowhere else.'),
  BRAMBLE_KUBECONFIG: absolutePath
    .optional()
    .describe('Kubeconfig of the cluster. Left out: the service account of the pod, where there is one.'),
  BRAMBLE_KUBERNETES_TIMEOUT_MS: milliseconds(500, 60_000)
    .default(5_000)
    .describe('How long one question to Kubernetes may take.'),
  BRAMBLE_REGISTRY: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as "http://10.0.0.10:5000"' })
    .refine(
      (url) => new URL(url).origin === url.replace(/\/$/, ''),
      'must be a scheme, a host and a port alone',
    )
    .optional()
    .describe(
      "The lab's registry of images, as pods reach it. Left out: images are not looked for anywhere.",
    ),
  BRAMBLE_BOARD_SLURM: z
    .string()
    .transform((text, context) => {
      const read = readHostAndPort(text);
      if (read === undefined)
        context.addIssue({
          code: 'custom',
          message: 'must be a host and a port such as "10.0.0.100:6817"',
        });
      return read ?? z.NEVER;
    })
    .optional()
    .describe('slurmctld as boards reach it. Left out: compute boards do not join Slurm.'),
  BRAMBLE_STORAGE_CLASS: kubernetesName
    .optional()
    .describe("Storage class of services' volumes. Left out: the default of the Kubernetes cluster."),
  BRAMBLE_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
  BRAMBLE_DATABASE_POOL: z.coerce
    .number()
    .int()
    .min(2)
    .max(200)
    .default(10)
    .describe('Connections of one process.'),
};

export const apiConfigurationSchema = z.object({
  ...sharedShape,
  BRAMBLE_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  BRAMBLE_PORT: port.default(8080),
  BRAMBLE_MAX_UPLOAD_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .default(10 * 1024 ** 3)
    .describe('Largest artifact, in bytes.'),
  BRAMBLE_CORS_ORIGINS: origins
    .default([])
    .describe(
      'Origins of web pages that may call the API from a browser, separated by commas. Left out: none.',
    ),
  BRAMBLE_ADMIN_ACCOUNT: accountNameSchema
    .optional()
    .describe('Unix account of the admin that the first start makes. Left out: the admin submits no jobs.'),
});
export type ApiConfiguration = z.output<typeof apiConfigurationSchema>;

export const workerConfigurationSchema = z
  .object({
    ...sharedShape,
    BRAMBLE_WORKER_HOST: z.string().default('127.0.0.1').describe('Address of health and metrics.'),
    BRAMBLE_WORKER_PORT: port.default(8081),
    BRAMBLE_TRACK_INTERVAL_MS: milliseconds(50, 60_000)
      .default(500)
      .describe('Pause between two questions to Slurm about all jobs.'),
    BRAMBLE_SWEEP_INTERVAL_MS: milliseconds(50, 60_000)
      .default(1_000)
      .describe('Pause between two sweeps for jobs that are due.'),
    BRAMBLE_TAKEOVER_AFTER_MS: milliseconds(2_000, 600_000)
      .default(15_000)
      .describe('How long a worker gives no sign before its work counts as abandoned.'),
    BRAMBLE_INVENTORY_INTERVAL_MS: milliseconds(500, 600_000)
      .default(5_000)
      .describe('Pause between two looks at nodes and partitions.'),
    BRAMBLE_BOARD_HEALTH_INTERVAL_MS: milliseconds(1_000, 3_600_000)
      .default(60_000)
      .describe('How often each board is asked how it is.'),
    BRAMBLE_BOARD_CHECK_HOURS: z.coerce
      .number()
      .int()
      .min(0)
      .max(8_760)
      .default(24)
      .describe('Hours after which a board is checked again against what it is to be; 0: never by itself.'),
    BRAMBLE_SUBMIT_TIMEOUT_MS: milliseconds(1_000, 300_000)
      .default(20_000)
      .describe('How long one call of sbatch may take.'),
    SLURM_TRANSPORT: z
      .enum(['local', 'ssh', 'exec'])
      .default('local')
      .describe(
        "Where Slurm's commands run: on this machine, on a login node, or in a container of a pod (as kubectl exec does).",
      ),
    SLURM_BIN_DIR: absolutePath.default('/usr/bin'),
    SLURM_CONF: absolutePath.optional(),
    SLURM_SSH_HOST: z.string().min(1).optional(),
    SLURM_SSH_PORT: port.default(22),
    SLURM_SSH_USER: accountOrRoot().default('root'),
    SLURM_SSH_KEY_FILE: absolutePath
      .optional()
      .describe('Private key, in a file that only the worker can read.'),
    SLURM_SSH_HOST_KEY: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must be a fingerprint "SHA256:…", as ssh-keygen -lf prints it')
      .optional(),
    SLURM_SSH_BECOME: z
      .enum(['setpriv', 'sudo', 'none'])
      .default('setpriv')
      .describe(
        "How the login becomes the job's account: setpriv (as root), sudo (without password), none (it is the account).",
      ),
    SLURM_EXEC_NAMESPACE: kubernetesName
      .default('slurm')
      .describe("Namespace of the pods in which Slurm's commands run."),
    SLURM_EXEC_SELECTOR: z
      .string()
      .regex(
        new RegExp(`^${LABEL}(,${LABEL})*$`),
        'must be labels such as "app=slurm,component=login", separated by commas',
      )
      .default('app.kubernetes.io/name=slurm,app.kubernetes.io/component=controller')
      .describe('Labels of these pods; any one that runs will do.'),
    SLURM_EXEC_POD: kubernetesName
      .optional()
      .describe('The one pod, by its name. Left out: those with the labels of SLURM_EXEC_SELECTOR.'),
    SLURM_EXEC_CONTAINER: kubernetesName
      .default('login')
      .describe(
        'Container of the pod. As root it becomes the accounts of jobs; else it has to run as theirs.',
      ),
    BRAMBLE_BOARD_TIME_SERVERS: listOf(
      (text) => (ipv4.safeParse(text).success || new RegExp(`^${HOST}$`).test(text) ? text : undefined),
      'must be host names or addresses, separated by commas',
    )
      .default([])
      .describe("Time servers of the boards. Left out: the distribution's own."),
    BRAMBLE_BOARD_APT_PROXY: z
      .url({ protocol: /^http$/, error: 'must be a URL http://…' })
      .optional()
      .describe(
        'Package proxy of the boards. Left out: the cache of a storage board, where one is enrolled.',
      ),
    BRAMBLE_BOARD_ACCOUNTS: listOf(
      readAccount,
      'must be accounts such as "alice:2001" or "alice:2001:2000", numbers from 1000 on, separated by commas',
    )
      .default([])
      .describe('Unix accounts that every board has: name, uid, and gid where it is another number.'),
    BRAMBLE_BOARD_MOUNTS: listOf(
      readMount,
      'must be mounts such as "10.0.0.2:/srv/home=/home/shared", separated by commas',
    )
      .default([])
      .describe('NFS mounts of compute boards, beside those of the storage boards.'),
    BRAMBLE_MUNGE_KEY_FILE: absolutePath
      .default('/etc/munge/munge.key')
      .describe("munge's key of the cluster, in a file that only the worker can read."),
    BRAMBLE_HELM: z
      .string()
      .regex(/^(\/[^\0]+|[A-Za-z0-9._-]+)$/, 'must be a path, or the name of a program on PATH')
      .default('helm')
      .describe('Helm 4, by which services are installed.'),
    BRAMBLE_CHARTS: absolutePath
      .optional()
      .describe('Directory of the charts that come with Bramble. Left out: where it was installed.'),
    BRAMBLE_SERVICE_INTERVAL_MS: milliseconds(500, 600_000)
      .default(30_000)
      .describe('Pause between two looks at services.'),
    BRAMBLE_SERVICE_CHECK_HOURS: z.coerce
      .number()
      .int()
      .min(0)
      .max(8_760)
      .default(24)
      .describe('Hours after which a service is compared again with what was applied; 0: never by itself.'),
    BRAMBLE_LEADER: flag
      .default(true)
      .describe('Whether this worker may be elected to track, sweep and look at the inventory.'),
  })
  .superRefine((configuration, context) => {
    if (configuration.SLURM_TRANSPORT !== 'ssh') return;
    for (const name of ['SLURM_SSH_HOST', 'SLURM_SSH_KEY_FILE', 'SLURM_SSH_HOST_KEY'] as const) {
      if (configuration[name] === undefined) {
        context.addIssue({
          code: 'custom',
          path: [name],
          message: 'must be set where SLURM_TRANSPORT is "ssh"',
        });
      }
    }
  });
export type WorkerConfiguration = z.output<typeof workerConfigurationSchema>;
export type SharedConfiguration = Pick<ApiConfiguration, keyof typeof sharedShape>;

function accountOrRoot() {
  return z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be a Unix account');
}

/** Every fault of the configuration at once, by variable. Values are left out: one of them may be a password. */
export class ConfigurationError extends Error {
  constructor(faults: readonly string[]) {
    super(`The configuration is not right:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'ConfigurationError';
  }
}

/** @throws ConfigurationError naming each faulty variable */
export function parseConfiguration<T extends z.ZodType>(
  schema: T,
  environment: Record<string, string | undefined>,
): z.output<T> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(
    parsed.error.issues.map((issue) => `${fieldPath(issue.path)} ${issue.message}`),
  );
}
