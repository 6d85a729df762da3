import { describe, expect, it } from 'vitest';
import { existing } from '../../../../test/fakes/existing.ts';
import { idOf } from '../../../../test/fakes/counting-ids.ts';
import type { ServiceOperation } from '../operations/operation.ts';
import { Catalog } from './catalog/catalog.ts';
import type { Service, ServiceObservation, ServiceRevision } from './service.ts';
import { type ServiceContext, toServiceResource } from './service-resource.ts';

const at = (seconds: number): Date => new Date(Date.parse('2026-03-01T12:00:00Z') + seconds * 1000);
const entry = existing(new Catalog().find('registry'));

const revision = (fields: Partial<ServiceRevision> = {}): ServiceRevision => ({
  ...{ revision: 1, operationId: idOf('op', 1), kind: 'install', reason: null, at: at(10) },
  ...{ sealedWanted: 'sealed', parts: [], ...fields },
});
const observation = (fields: Partial<ServiceObservation> = {}): ServiceObservation => ({
  ...{ observedAt: at(20), state: 'degraded', message: null, workloads: [], problems: [], endpoints: [] },
  ...fields,
});
const service = (fields: Partial<Service> = {}): Service => ({
  ...{ name: 'registry', current: revision(), observation: null, createdAt: at(0) },
  ...fields,
});
const operation = (fields: Partial<ServiceOperation> = {}): ServiceOperation => ({
  ...{ id: idOf('op', 2), about: 'service', version: 3, subject: 'registry', boardId: null, notes: {} },
  ...{ kind: 'check', state: 'done', reason: null, steps: [], cancelRequestedAt: null, lookAt: null },
  parameters: { reason: null, force: false, keepFailed: false, revision: null, sealedWanted: null },
  ...{ createdAt: at(30), startedAt: at(30), endedAt: at(31) },
  ...fields,
});
const shown = (one: Service, context: Partial<ServiceContext> = {}) =>
  toServiceResource(one, { entry, wanted: null, operations: [], showLines: true, ...context });

describe('toServiceResource', () => {
  it.each<[string, Service, ServiceOperation[], string, string | null]>([
    [
      'installing while the first installation is under way, whatever was seen',
      service({ current: null, observation: observation() }),
      [operation({ kind: 'install', state: 'running', endedAt: null })],
      ...(['installing', null] as const),
    ],
    [
      'degraded where the first installation has failed',
      service({ current: null }),
      [operation({ kind: 'install', state: 'failed' })],
      ...(['degraded', 'Its installation has not come to its end.'] as const),
    ],
    ['ready where a revision is there that nobody has looked at', service(), [], 'ready', null],
    [
      'ready where only the revision before was looked at',
      service({ observation: observation({ observedAt: at(9) }) }),
      [],
      ...(['ready', null] as const),
    ],
    ['what was seen', service({ observation: observation() }), [], 'degraded', null],
    [
      'what was seen during an upgrade',
      service({ observation: observation({ state: 'unknown', message: 'away' }) }),
      [operation({ kind: 'upgrade', state: 'running', endedAt: null })],
      ...(['unknown', 'away'] as const),
    ],
  ])('says that a service is %s', (_, one, operations, state, message) => {
    expect(shown(one, { operations })).toMatchObject({ state, message });
  });

  it('tells of the last check of the current revision, and of no other', () => {
    const steps: ServiceOperation['steps'] = [
      {
        ...{ name: 'check registry', title: 't', state: 'differs', detail: 'ConfigMap a/b' },
        ...{ startedAt: at(30), endedAt: at(31) },
      },
      {
        ...{ name: 'check more', title: 't', state: 'unchanged', detail: 'as it was applied' },
        ...{ startedAt: at(30), endedAt: at(31) },
      },
    ];
    const failed = operation({ id: idOf('op', 3), state: 'failed' });
    expect(shown(service(), { operations: [failed, operation({ steps })] }).drift).toEqual({
      ...{ operationId: idOf('op', 2), checkedAt: at(31).toISOString() },
      steps: [{ step: 'check registry', detail: 'ConfigMap a/b' }],
    });
    const upgraded = service({ current: revision({ at: at(40) }) });
    expect(shown(upgraded, { operations: [operation({ steps })] }).drift).toBeNull();
    expect(shown(service({ current: null }), { operations: [operation({ steps })] }).drift).toBeNull();
  });

  it('hides secrets by their names, and those that the entry names', () => {
    const wanted = {
      settings: { htpasswd: 'a:b', size: '1Gi' },
      values: { registry: { auth: { password: 'x', user: 'y' } } },
    };
    expect(shown(service(), { wanted })).toMatchObject({
      settings: { htpasswd: '(hidden)', size: '1Gi' },
      values: { registry: { auth: { password: '(hidden)', user: 'y' } } },
    });
    expect(shown(service(), { wanted, entry: undefined })).toMatchObject({
      ...{ title: 'registry', namespace: null, settings: {}, values: {} },
    });
  });

  it('keeps what containers wrote from those who may not see it', () => {
    const problem = {
      object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'a', name: 'b' },
      ...{ code: 'CrashLoopBackOff', message: 'm', lasting: true, lastLines: ['secret'] },
    };
    const seen = service({ observation: observation({ problems: [problem] }) });
    expect(shown(seen).problems).toEqual([problem]);
    expect(shown(seen, { showLines: false }).problems).toEqual([{ ...problem, lastLines: [] }]);
  });
});
