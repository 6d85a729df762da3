import { describe, expect, it } from 'vitest';
import type { ApiObject } from './api-object.ts';
import { progressOf } from './workload-state.ts';
import type { WorkloadKind } from './workloads.ts';

const live = (spec: object, status: object, metadata: object = {}): ApiObject => ({
  ...{ apiVersion: 'apps/v1', kind: 'any', spec, status },
  metadata: { name: 'web', generation: 2, ...metadata },
});
const observed = { observedGeneration: 2 };

describe('how far a workload is', () => {
  it.each<[string, WorkloadKind, ApiObject | undefined, boolean, string]>([
    ['gone', 'Deployment', undefined, false, 'It is not there'],
    [
      'being removed',
      'Pod',
      live({}, {}, { deletionTimestamp: '2026-11-23T02:00:00Z' }),
      false,
      'It is being removed',
    ],
    [
      'not seen yet',
      'Deployment',
      live({}, { observedGeneration: 1, availableReplicas: 1, updatedReplicas: 1 }),
      false,
      'The change has not been taken up yet',
    ],
    [
      'being replaced',
      'Deployment',
      live({ replicas: 2 }, { ...observed, replicas: 3, updatedReplicas: 2, availableReplicas: 3 }),
      false,
      '2 of 2 replicas are ready, 1 of the revision before is still there',
    ],
    [
      'ready',
      'Deployment',
      live({}, { ...observed, replicas: 1, updatedReplicas: 1, availableReplicas: 1 }),
      true,
      '1 of 1 replica is ready',
    ],
    [
      'in part',
      'StatefulSet',
      live(
        { replicas: 3 },
        { ...observed, availableReplicas: 3, updatedReplicas: 1, updateRevision: 'b', currentRevision: 'a' },
      ),
      false,
      '3 of 3 replicas are ready, 2 to be replaced',
    ],
    [
      'as far as its partition',
      'StatefulSet',
      live(
        { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
        { ...observed, availableReplicas: 3, updatedReplicas: 1, updateRevision: 'b', currentRevision: 'a' },
      ),
      true,
      '3 of 3 replicas are ready',
    ],
    [
      'on delete',
      'StatefulSet',
      live(
        { updateStrategy: { type: 'OnDelete' } },
        { ...observed, availableReplicas: 1, updatedReplicas: 0, updateRevision: 'b', currentRevision: 'a' },
      ),
      true,
      '1 of 1 replica is ready',
    ],
    [
      'on some nodes',
      'DaemonSet',
      live({}, { ...observed, desiredNumberScheduled: 4, updatedNumberScheduled: 3, numberAvailable: 4 }),
      false,
      'It is ready on 3 of 4 nodes',
    ],
    ['under way', 'Job', live({ completions: 3 }, { succeeded: 1 }), false, '1 of 3 runs have succeeded'],
    ['suspended', 'Job', live({ suspend: true }, {}), true, 'It is suspended'],
    ['failed', 'Job', live({}, { conditions: [{ type: 'Failed', status: 'True' }] }), false, 'It has failed'],
    ['done', 'Pod', live({}, { phase: 'Succeeded' }), true, 'It is done'],
    ['pending', 'Pod', live({}, { phase: 'Pending' }), false, 'It is not ready: Pending'],
    ['unbound', 'PersistentVolumeClaim', live({}, { phase: 'Pending' }), false, 'It is not bound yet'],
    ['lost', 'PersistentVolumeClaim', live({}, { phase: 'Lost' }), false, 'Its volume is lost'],
  ])('%s: %s', (_, kind, object, ready, detail) => {
    expect(progressOf(kind, object, false)).toEqual({ ready, detail });
  });
});
