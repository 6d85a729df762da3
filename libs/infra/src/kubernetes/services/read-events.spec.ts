import { describe, expect, it } from 'vitest';
import type { ApiEvent } from './api-events.ts';
import { mergeEvents } from './read-events.ts';

const own = [
  { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'demo', name: 'web' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace: 'demo', name: 'web-5f4' },
];
const event = (kind: string, name: string, more: Partial<ApiEvent>): ApiEvent => ({
  metadata: { name: 'e', creationTimestamp: '2026-11-23T02:00:00Z' },
  involvedObject: { apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1', kind, name },
  ...{ reason: 'BackOff', type: 'Warning', ...more },
});

describe('events', () => {
  it('of one object with one reason are one, with the newest message', () => {
    const merged = mergeEvents(
      [
        event('Pod', 'web-5f4-x', { count: 3, lastTimestamp: '2026-11-23T02:01:00Z', message: 'old' }),
        event('Pod', 'web-5f4-x', {
          series: { count: 4, lastObservedTime: '2026-11-23T02:05:00.000001Z' },
          ...{ eventTime: '2026-11-23T02:00:00.000001Z', firstTimestamp: null, lastTimestamp: null },
          message: 'new',
        }),
        event('Deployment', 'web', { type: 'Normal', reason: 'ScalingReplicaSet' }),
        event('Pod', 'webster-1', { message: "another release's" }),
        event('StatefulSet', 'web', { message: "another release's" }),
      ],
      own,
      'demo',
    );
    expect(merged).toEqual([
      {
        at: new Date('2026-11-23T02:05:00Z'),
        ...{ type: 'Warning', code: 'BackOff', message: 'new', count: 7 },
        object: { apiVersion: 'v1', kind: 'Pod', namespace: 'demo', name: 'web-5f4-x' },
      },
      {
        at: new Date('2026-11-23T02:00:00Z'),
        ...{ type: 'Normal', code: 'ScalingReplicaSet', message: '', count: 1 },
        object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'demo', name: 'web' },
      },
    ]);
  });
});
