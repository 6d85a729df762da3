import { describe, expect, it } from 'vitest';
import {
  apiConfigurationSchema,
  ConfigurationError,
  parseConfiguration,
  workerConfigurationSchema,
} from './configuration.ts';

const api = (environment: Record<string, string | undefined>) =>
  parseConfiguration(apiConfigurationSchema, environment);
const worker = (environment: Record<string, string | undefined>) =>
  parseConfiguration(workerConfigurationSchema, environment);

function messageOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  throw new Error('the configuration was taken');
}

const FINGERPRINT = `SHA256:${'A'.repeat(43)}`;

describe('the configuration', () => {
  it('needs nothing to be set', () => {
    expect(api({})).toMatchObject({
      BRAMBLE_HOST: '127.0.0.1',
      BRAMBLE_PORT: 8080,
      BRAMBLE_HOME: '/var/lib/bramble',
    });
    expect(worker({})).toMatchObject({
      SLURM_TRANSPORT: 'local',
      BRAMBLE_LEADER: true,
      BRAMBLE_TRACK_INTERVAL_MS: 500,
    });
  });

  it('reads a list of origins', () => {
    expect(api({}).BRAMBLE_CORS_ORIGINS).toEqual([]);
    expect(api({ BRAMBLE_CORS_ORIGINS: 'https://a.example, http://b:81' }).BRAMBLE_CORS_ORIGINS).toEqual([
      'https://a.example',
      'http://b:81',
    ]);
  });

  it.each(['*', 'a.example', 'https://a.example/', 'https://a.example,', 'https://u:p@a.example'])(
    'refuses %j as an origin',
    (BRAMBLE_CORS_ORIGINS) => {
      expect(messageOf(() => api({ BRAMBLE_CORS_ORIGINS }))).toContain(
        'BRAMBLE_CORS_ORIGINS must be origins',
      );
    },
  );

  it.each(['', ' ', '\t'])('counts a variable that is %j as not set', (value) => {
    expect(api({ BRAMBLE_PORT: value, DATABASE_URL: value, REDIS_URL: undefined })).toEqual(api({}));
  });

  it('reads values of every kind', () => {
    expect(
      worker({
        DATABASE_URL: 'postgres://bramble:secret@db:5432/bramble',
        REDIS_URL: 'rediss://:secret@redis:6380/1',
        BRAMBLE_STORAGE_ROOT: '/srv/bramble-1.0/_x',
        BRAMBLE_WORKER_PORT: '0',
        BRAMBLE_LEADER: 'false',
        SLURM_TRANSPORT: 'ssh',
        SLURM_SSH_HOST: 'login',
        SLURM_SSH_KEY_FILE: '/etc/bramble/key',
        SLURM_SSH_HOST_KEY: FINGERPRINT,
        SLURM_SSH_BECOME: 'sudo',
      }),
    ).toMatchObject({
      BRAMBLE_WORKER_PORT: 0,
      BRAMBLE_LEADER: false,
      SLURM_SSH_PORT: 22,
      SLURM_SSH_USER: 'root',
    });
  });

  it('takes no notice of variables that are not its own', () => {
    expect(api({ PATH: '/bin', BRAMBLE_LEADER: 'nonsense' })).toEqual(api({}));
  });

  it.each([
    ['DATABASE_URL', 'mysql://db/secret'],
    ['DATABASE_URL', 'secret'],
    ['DATABASE_URL', 'postgres//user:secret@db'],
    ['REDIS_URL', 'http://:secret@redis'],
    ['BRAMBLE_HOME', 'relative/secret'],
    ['BRAMBLE_HOME', '/has/../secret'],
    ['BRAMBLE_HOME', '/white space/secret'],
    ['BRAMBLE_HOME', '/secret/'],
    ['BRAMBLE_STORAGE_ROOT', '/secret$(id)'],
    ['BRAMBLE_STORAGE_CLUSTER_ROOT', '/secret%j'],
    ['BRAMBLE_STORAGE_GROUP_ID', '0'],
    ['BRAMBLE_STORAGE_GROUP_ID', 'secret'],
    ['BRAMBLE_LOG_LEVEL', 'secret'],
    ['BRAMBLE_DATABASE_POOL', '1'],
    ['BRAMBLE_WORKER_PORT', '65536'],
    ['BRAMBLE_WORKER_PORT', '80.5'],
    ['BRAMBLE_WORKER_PORT', '-1'],
    ['BRAMBLE_WORKER_PORT', 'secret'],
    ['BRAMBLE_TRACK_INTERVAL_MS', '1'],
    ['BRAMBLE_SWEEP_INTERVAL_MS', '1h'],
    ['BRAMBLE_TAKEOVER_AFTER_MS', '1000'],
    ['BRAMBLE_SUBMIT_TIMEOUT_MS', '999999999'],
    ['SLURM_TRANSPORT', 'secret'],
    ['SLURM_BIN_DIR', 'secret'],
    ['SLURM_SSH_USER', 'secret;id'],
    ['SLURM_SSH_HOST_KEY', 'MD5:secret'],
    ['SLURM_SSH_BECOME', 'secret'],
    ['SLURM_EXEC_NAMESPACE', 'secret/default'],
    ['SLURM_EXEC_SELECTOR', 'secret'],
    ['SLURM_EXEC_SELECTOR', 'a=b,secret in (x)'],
    ['SLURM_EXEC_POD', '-secret'],
    ['SLURM_EXEC_CONTAINER', 'Secret?x=secret'],
    ['BRAMBLE_LEADER', 'secret'],
    ['BRAMBLE_LEADER', 'yes'],
  ])('refuses %s=%s, naming the variable and not the value', (name, value) => {
    const message = messageOf(() => worker({ [name]: value }));
    const [, ...faults] = message.split('\n');
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^  ${name} \\S`));
    if (value.length > 5) expect(message).not.toContain(value);
    expect(message).not.toContain('secret');
  });

  it('names every fault at once', () => {
    const message = messageOf(() =>
      api({
        BRAMBLE_PORT: 'x',
        BRAMBLE_HOME: 'x',
        BRAMBLE_MAX_UPLOAD_BYTES: '0',
        BRAMBLE_ADMIN_ACCOUNT: 'root',
      }),
    );
    for (const name of ['BRAMBLE_PORT', 'BRAMBLE_HOME', 'BRAMBLE_MAX_UPLOAD_BYTES', 'BRAMBLE_ADMIN_ACCOUNT'])
      expect(message).toContain(name);
    expect(message.split('\n')).toHaveLength(5);
  });

  it('finds the pods of the chart of Slurm, or others', () => {
    expect(worker({ SLURM_TRANSPORT: 'exec' })).toMatchObject({
      SLURM_EXEC_NAMESPACE: 'slurm',
      SLURM_EXEC_SELECTOR: 'app.kubernetes.io/name=slurm,app.kubernetes.io/component=controller',
      SLURM_EXEC_CONTAINER: 'login',
    });
    const other = {
      SLURM_EXEC_NAMESPACE: 'hpc',
      SLURM_EXEC_POD: 'login-0',
      SLURM_EXEC_SELECTOR: 'app=a_b.c',
    };
    expect(worker(other)).toMatchObject(other);
  });

  it('asks for all that SSH needs', () => {
    const message = messageOf(() => worker({ SLURM_TRANSPORT: 'ssh' }));
    for (const name of ['SLURM_SSH_HOST', 'SLURM_SSH_KEY_FILE', 'SLURM_SSH_HOST_KEY']) {
      expect(message).toContain(`${name} must be set`);
    }
  });
});
