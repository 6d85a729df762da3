import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceObservation, ServiceRevision } from '#core/services/service';
import { REVISIONS_OF_A_SERVICE, type ServiceStore } from '#core/services/service-store';
import { idOf } from '../fakes/counting-ids.ts';
import { existing } from '../fakes/existing.ts';

const at = (seconds: number): Date => new Date(Date.parse('2026-03-01T12:00:00.123Z') + seconds * 1000);

const revisionBy = (operation: number, fields: Partial<ServiceRevision> = {}) => ({
  operationId: idOf('op', operation),
  kind: 'install' as const,
  reason: 'new "ä" 🍓',
  at: at(operation),
  sealedWanted: `v1.sealed${operation}`,
  parts: [
    {
      ...{ release: 'registry', namespace: 'registry', helmRevision: operation, chart: 'zot-0.1.122' },
      objects: [{ apiVersion: 'v1', kind: 'Service', namespace: 'registry', name: 'registry-zot' }],
    },
  ],
  ...fields,
});

const observation: ServiceObservation = {
  observedAt: at(90.5),
  state: 'degraded',
  message: null,
  workloads: [
    {
      object: { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'registry', name: 'registry-zot' },
      ...{ ready: false, detail: '0 of 1 replica are ready' },
    },
  ],
  problems: [
    {
      object: { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'registry', name: 'registry-zot' },
      ...{ code: 'CrashLoopBackOff', message: 'ended with 1', lasting: true, lastLines: ['"ä"', 'x'] },
    },
  ],
  endpoints: [
    {
      ...{ name: 'registry-zot', kind: 'LoadBalancer', hosts: ['10.0.0.10'], wanted: ['10.0.0.10'] },
      ports: [{ name: 'zot', port: 5000, protocol: 'TCP' }],
    },
  ],
};

/** What every `ServiceStore` owes to those who use it. */
export function describeServiceStore(
  name: string,
  { create }: { create: () => Promise<{ store: ServiceStore; close(): Promise<void> }> },
): void {
  describe(name, () => {
    let store: ServiceStore;
    let close: () => Promise<void>;

    beforeEach(async () => {
      const tested = await create();
      store = tested.store;
      close = () => tested.close();
    });
    afterEach(() => close());

    it('knows a service before it has a revision, and only once', async () => {
      expect(await store.find('registry')).toBeUndefined();
      await store.ensure('registry', at(1));
      await store.ensure('registry', at(2));
      expect(await store.list()).toEqual([
        { name: 'registry', current: null, observation: null, createdAt: at(1) },
      ]);
      expect(await store.revisions('registry')).toEqual([]);
    });

    it('has the newest revision as the current one, and all of them newest first', async () => {
      await store.ensure('registry', at(0));
      expect(await store.addRevision('registry', revisionBy(1))).toBe(1);
      const upgrade = revisionBy(2, { kind: 'upgrade', reason: null });
      expect(await store.addRevision('registry', upgrade)).toBe(2);
      expect(await store.find('registry')).toEqual({
        name: 'registry',
        current: { ...upgrade, revision: 2 },
        observation: null,
        createdAt: at(0),
      });
      expect(await store.revisions('registry')).toEqual([
        { ...upgrade, revision: 2 },
        { ...revisionBy(1), revision: 1 },
      ]);
      expect(await store.revisions('dns')).toEqual([]);
    });

    it('makes a service known with its first revision', async () => {
      await store.addRevision('registry', revisionBy(1));
      expect(existing(await store.find('registry')).createdAt).toEqual(at(1));
    });

    it('adds one revision for an operation, however often it is told', async () => {
      expect(await store.addRevision('registry', revisionBy(1))).toBe(1);
      expect(await store.addRevision('registry', revisionBy(2))).toBe(2);
      expect(await store.addRevision('registry', revisionBy(1, { reason: 'again' }))).toBe(1);
      const revisions = await store.revisions('registry');
      expect(revisions.map(({ revision, reason }) => [revision, reason])).toEqual([
        [2, revisionBy(2).reason],
        [1, revisionBy(1).reason],
      ]);
    });

    it('counts without a gap where several are added at once', async () => {
      const operations = [1, 2, 3, 4, 5, 6, 7, 8];
      const numbers = await Promise.all(
        [...operations, ...operations].map((n) => store.addRevision('registry', revisionBy(n))),
      );
      expect(new Set(numbers)).toEqual(new Set(operations));
      expect(numbers.slice(8)).toEqual(numbers.slice(0, 8));
      expect(await store.revisions('registry')).toHaveLength(8);
    });

    it('keeps the newest, and counts on', async () => {
      const all = REVISIONS_OF_A_SERVICE + 2;
      await store.addRevision('dns', revisionBy(100));
      for (let n = 1; n <= all; n += 1) expect(await store.addRevision('registry', revisionBy(n))).toBe(n);
      const numbers = (await store.revisions('registry')).map(({ revision }) => revision);
      expect(numbers).toHaveLength(REVISIONS_OF_A_SERVICE);
      expect([numbers[0], numbers.at(-1)]).toEqual([all, 3]);
      expect(await store.revisions('dns')).toHaveLength(1);
    });

    it('keeps what was seen last, of services that are known', async () => {
      await store.observe('registry', observation);
      expect(await store.find('registry')).toBeUndefined();
      await store.addRevision('registry', revisionBy(1));
      await store.observe('registry', { ...observation, state: 'unknown', message: 'away' });
      await store.observe('registry', observation);
      expect(existing(await store.find('registry')).observation).toEqual(observation);
    });

    it('seals a revision anew, and leaves the others alone', async () => {
      await store.addRevision('registry', revisionBy(1));
      await store.addRevision('registry', revisionBy(2));
      await store.reseal('registry', 1, 'v1.newer');
      const revisions = await store.revisions('registry');
      expect(revisions.map(({ sealedWanted }) => sealedWanted)).toEqual(['v1.sealed2', 'v1.newer']);
    });

    it('lists services by name, and forgets one with its revisions', async () => {
      for (const [n, service] of ['registry', 'cert-manager', 'dns'].entries())
        await store.addRevision(service, revisionBy(n));
      await store.remove('dns');
      await store.remove('nothing');
      expect((await store.list()).map((service) => service.name)).toEqual(['cert-manager', 'registry']);
      expect(await store.revisions('dns')).toEqual([]);
      expect(await store.addRevision('dns', revisionBy(9))).toBe(1);
    });
  });
}
