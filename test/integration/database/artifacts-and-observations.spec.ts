import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterSnapshot } from '#core/cluster/cluster';
import { openDatabase } from '../../../libs/infra/src/database/data-source.ts';
import { DatabaseError } from '../../../libs/infra/src/database/database-error.ts';
import { TypeormArtifactStore } from '../../../libs/infra/src/database/typeorm-artifact-store.ts';
import { TypeormClusterObservations } from '../../../libs/infra/src/database/typeorm-cluster-observations.ts';
import { typeIdGenerator } from '../../../libs/infra/src/identity/type-id-generator.ts';
import { type FreshDatabase, freshMigratedDatabase } from '../../lab/database/database-server.ts';

const at = (milliseconds: number) => new Date(Date.UTC(2026, 10, 1) + milliseconds);
const log = () => {};

let database: FreshDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await freshMigratedDatabase();
  dataSource = await openDatabase({ url: database.url, poolSize: 4, log });
});

afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const artifact = (ownerId: string, createdAt: Date) => ({
  id: typeIdGenerator.next('art'),
  ownerId,
  name: 'data.bin',
  size: 6_000_000_000,
  sha256: 'c0ffee',
  createdAt,
});

describe('artifacts', () => {
  it('are kept, found and paged for their owner, newest first', async () => {
    const store = new TypeormArtifactStore(dataSource);
    const mine = Array.from({ length: 5 }, (_, index) => artifact('usr_1', at(index)));
    const other = artifact('usr_2', at(9));
    for (const one of [...mine, other]) await store.insert(one);
    expect(await store.find(other.id)).toEqual(other);
    expect(await store.find('art_none')).toBeUndefined();
    expect(await store.findMany([])).toEqual([]);
    expect(await store.findMany([other.id, 'art_none'])).toEqual([other]);
    const first = await store.list('usr_1', { limit: 3 });
    const second = await store.list('usr_1', { limit: 3, cursor: first.next ?? '' });
    expect([...first.items, ...second.items]).toEqual(mine.toReversed());
    expect(second.next).toBeNull();
  });

  it('are found by name and content among those of their owner, the oldest first', async () => {
    const store = new TypeormArtifactStore(dataSource);
    const [later, sooner] = [artifact('usr_4', at(2)), artifact('usr_4', at(1))];
    for (const one of [later, sooner]) await store.insert(one);
    expect(await store.findSame(later)).toEqual(sooner);
    expect(await store.findSame({ ...later, name: 'other' })).toBeUndefined();
    expect(await store.findSame({ ...later, sha256: 'dead' })).toBeUndefined();
    expect(await store.findSame({ ...later, ownerId: 'usr_5' })).toBeUndefined();
  });
});

describe('errors of the database', () => {
  it('tell the state and hold no parameters', async () => {
    const store = new TypeormArtifactStore(dataSource);
    const one = { ...artifact('usr_3', at(0)), sha256: 'very-secret' };
    await store.insert(one);
    const failure: unknown = await store.insert(one).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DatabaseError);
    expect(failure).toMatchObject({ sqlState: '23505' });
    const { cause } = failure as DatabaseError;
    expect(JSON.stringify({ failure, cause, own: Object.entries(cause as object) })).not.toContain(
      'very-secret',
    );
  });
});

describe('observations', () => {
  const snapshot = (jobsRunning: number): ClusterSnapshot => ({
    name: 'pi',
    slurmVersion: '22.05.8',
    nodes: [],
    partitions: [],
    jobsPending: 0,
    jobsRunning,
  });

  it('are the last ones, by when they were made', async () => {
    const observations = new TypeormClusterObservations(dataSource);
    expect(await observations.latest()).toBeUndefined();
    expect(await observations.trackedAt()).toBeNull();
    await observations.record(snapshot(1), at(10));
    await observations.record(snapshot(2), at(20));
    await observations.record(snapshot(3), at(15));
    expect(await observations.latest()).toEqual({ snapshot: snapshot(2), observedAt: at(20) });
    await observations.recordTracking(at(30));
    await observations.recordTracking(at(29));
    expect(await observations.trackedAt()).toEqual(at(30));
  });
});
