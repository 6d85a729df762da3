import { describe, expect, it } from 'vitest';
import { apiConfigurationSchema, parseConfiguration } from '#core/configuration/configuration';
import { type Board, boardStorageSchema } from '#core/nodes/board';
import { serviceSite } from './service-site-of.ts';

const configured = (environment: Record<string, string> = {}) =>
  parseConfiguration(apiConfigurationSchema, environment);
const board = (fields: Partial<Board>): Board => ({
  ...{ id: 'brd_1', version: 1, name: 'node01', address: '10.0.0.1', sshPort: 22, signInUser: 'pi' },
  ...{ hostKeySha256: null, roles: ['compute'], labels: {}, network: null, storage: null, trial: false },
  ...{ sealedSignIn: null, sealedSudoPassword: null, facts: null, factsAt: null, createdAt: new Date(0) },
  ...fields,
});
const storageBoard = (n: number, partitions: { label: string; mountedAt?: string }[]): Board =>
  board({
    ...{ id: `brd_${n}`, name: `node0${n}`, address: `10.0.0.${n}`, roles: ['storage'] },
    storage: boardStorageSchema.parse({
      partitions: partitions.map((partition) => ({ sizeMebibytes: 1024, ...partition })),
    }),
  });

describe('serviceSite', () => {
  it('has the defaults of the configuration where nothing is said, and no boards', () => {
    expect(serviceSite(configured(), [])).toEqual({
      ...{ domain: 'home.lab', subnet: '10.0.0.0/24' },
      ...{ storage: null, storageClass: null, boards: [], slurm: null },
    });
  });

  it('has what is configured, and the boards', () => {
    const site = serviceSite(
      configured({
        BRAMBLE_DOMAIN: 'pi.lan',
        BRAMBLE_BOARD_SUBNET: '192.168.7.0/24',
        BRAMBLE_BOARD_SLURM: '192.168.7.9',
        BRAMBLE_STORAGE_CLASS: 'nfs',
      }),
      [board({ name: 'node02', address: '192.168.7.3', roles: ['compute'] })],
    );
    expect(site).toEqual({
      ...{ domain: 'pi.lan', subnet: '192.168.7.0/24', storage: null, storageClass: 'nfs' },
      boards: [{ name: 'node02', address: '192.168.7.3', roles: ['compute'] }],
      slurm: { host: '192.168.7.9', port: 6817 },
    });
  });

  it.each<[string, Board[], { server: string; path: string } | null]>([
    ['nothing where nothing is exported', [storageBoard(1, [{ label: 'cache' }])], null],
    [
      'the first export of the first board',
      [
        storageBoard(1, [{ label: 'cache' }, { label: 'home', mountedAt: '/home/shared' }]),
        storageBoard(2, [{ label: 'data', mountedAt: '/data' }]),
      ],
      { server: '10.0.0.1', path: '/srv/home/shared' },
    ],
    [
      'the export that is called "volumes" before all others',
      [
        storageBoard(1, [{ label: 'home', mountedAt: '/home/shared' }]),
        storageBoard(2, [
          { label: 'data', mountedAt: '/data' },
          { label: 'volumes', mountedAt: '/volumes' },
        ]),
      ],
      { server: '10.0.0.2', path: '/srv/volumes/shared' },
    ],
  ])('takes as storage %s', (_, boards, expected) => {
    expect(serviceSite(configured(), boards).storage).toEqual(expected);
  });
});
