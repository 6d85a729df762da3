import { describe, expect, it } from 'vitest';
import type { SlurmNode } from '../../cluster/cluster.ts';
import type { NodeOperation } from '../../operations/operation.ts';
import { operationEvent } from './node-event.ts';
import { slurmChanges } from './slurm-changes.ts';

const NOW = new Date('2031-04-05T06:07:08.000Z');

const operation = (kind: NodeOperation['kind'], ...differs: string[]): NodeOperation => ({
  ...{
    id: 'op_1',
    version: 3,
    about: 'node',
    subject: 'node02',
    boardId: 'brd_1',
    kind,
    notes: {},
    state: 'running',
    reason: null,
  },
  steps: differs.map((name) => ({
    ...{ name, title: name, state: 'differs', detail: null, startedAt: NOW, endedAt: NOW },
  })),
  ...{ parameters: { reason: null, force: false }, cancelRequestedAt: null, lookAt: null },
  ...{ createdAt: NOW, startedAt: NOW, endedAt: null },
});

describe('the event of an operation', () => {
  it('is its end', () => {
    const drained = operation('drain');
    expect(operationEvent(drained, { notes: {} })).toBeUndefined();
    expect(operationEvent(drained, { state: 'running' })).toBeUndefined();
    expect(operationEvent(drained, { state: 'done' })).toEqual({
      ...{ node: 'node02', type: 'operation', state: 'done', detail: null },
      operation: { id: 'op_1', kind: 'drain' },
    });
    const reason = { code: 'sign-in', message: 'It is away.' };
    expect(operationEvent(drained, { state: 'failed', reason })).toMatchObject({
      ...{ state: 'failed', detail: 'It is away.' },
    });
  });

  it('is left out for looks that have found nothing', () => {
    expect(operationEvent(operation('check'), { state: 'done' })).toBeUndefined();
    expect(operationEvent(operation('plan', 'hosts'), { state: 'done' })).toBeUndefined();
    expect(operationEvent(operation('check', 'hosts', 'time'), { state: 'done' })).toMatchObject({
      detail: 'differs: hosts, time',
    });
  });
});

describe('the events of Slurm', () => {
  const node = (name: string, changes: Partial<SlurmNode> = {}): SlurmNode => ({
    ...{ name, address: name, state: 'idle', flags: [], reason: null, partitions: ['all'], features: [] },
    ...{ cpus: 4, cpusAllocated: 1, memoryMebibytes: 3600, memoryAllocatedMebibytes: 0 },
    ...{ architecture: 'aarch64', operatingSystem: 'Linux', slurmVersion: '22.05.8', bootedAt: null },
    ...changes,
  });
  const DRAINED = { flags: ['drain'], reason: 'fan' };
  const DOWN = { state: 'down', flags: ['not_responding'], reason: 'Not responding' };

  it.each<[string, SlurmNode[], SlurmNode[], unknown[]]>([
    ['nothing', [node('a')], [node('a', { cpusAllocated: 4, state: 'allocated' })], []],
    [
      'one that joined and one that left',
      [node('a')],
      [node('b')],
      [
        ['a', 'left', null],
        ['b', 'joined', null],
      ],
    ],
    ['drained', [node('a')], [node('a', DRAINED)], [['a', 'drained', 'fan']]],
    ['drained, and known to be', [node('a', DRAINED)], [node('a', { ...DRAINED, state: 'mixed' })], []],
    ['resumed', [node('a', DRAINED)], [node('a')], [['a', 'resumed', null]]],
    ['down', [node('a')], [node('a', DOWN)], [['a', 'down', 'Not responding']]],
    ['up', [node('a', DOWN)], [node('a')], [['a', 'up', null]]],
  ])('%s', (_, before, after, expected) => {
    const events = slurmChanges(before, after, NOW);
    expect(events.map((event) => [event.node, event.state, event.detail])).toEqual(expected);
    for (const event of events) expect(event).toMatchObject({ type: 'slurm', at: NOW, operation: null });
  });
});
