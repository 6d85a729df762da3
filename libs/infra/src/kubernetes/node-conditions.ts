import type { Reason } from '#core/jobs/job';
import type { ApiNodeCondition } from './api-node.ts';

/**
 * Conditions that mean trouble when they are true. Others are left alone, since for some of them true is good, as for
 * k3s's `EtcdIsVoter`. The last two are of node-problem-detector.
 */
const TROUBLES: Readonly<Partial<Record<string, Reason>>> = {
  MemoryPressure: { code: 'memory_pressure', message: 'Its memory is short: pods are evicted' },
  DiskPressure: { code: 'disk_pressure', message: 'Its disk is full: pods are evicted, and images removed' },
  PIDPressure: { code: 'pid_pressure', message: 'It runs too many processes' },
  NetworkUnavailable: { code: 'network_unavailable', message: "Its pods' network is not set up" },
  ReadonlyFilesystem: { code: 'read_only_file_system', message: 'A file system has become read-only' },
  KernelDeadlock: { code: 'kernel_deadlock', message: 'Its kernel hangs: restart it' },
};

const NEVER_REPORTED: Reason = {
  code: 'not_ready',
  message: 'Its kubelet has not told yet how it is: does k3s or kubelet run there?',
};

/** What is wrong with a node, in words. */
export function nodeProblems(conditions: readonly ApiNodeCondition[]): Reason[] {
  const ready = conditions.find(({ type }) => type === 'Ready');
  return [
    ...(ready === undefined ? [NEVER_REPORTED] : readiness(ready)),
    ...conditions.flatMap((condition) => {
      const trouble = TROUBLES[condition.type];
      if (trouble === undefined || condition.status !== 'True') return [];
      return [{ code: trouble.code, message: `${trouble.message}${because(condition)}.` }];
    }),
  ];
}

function readiness(condition: ApiNodeCondition): Reason[] {
  const { status, lastTransitionTime } = condition;
  switch (status) {
    case 'True':
      return [];
    case 'False':
      return [{ code: 'not_ready', message: `It is not ready${because(condition)}.` }];
    default: {
      const since = lastTransitionTime === undefined ? '' : ` since ${lastTransitionTime.toISOString()}`;
      return [
        {
          code: 'silent',
          message: `Its kubelet is silent${since}: is the machine on, and does k3s or kubelet run there?`,
        },
      ];
    }
  }
}

function because({ message, reason }: ApiNodeCondition): string {
  const text = message === undefined || message === '' ? reason : message;
  return text === undefined || text === '' ? '' : `: ${text.replace(/[.\s]+$/, '')}`;
}
