import type { Reason } from './job.ts';

/** @see https://slurm.schedmd.com/resource_limits.html and the REASON codes of squeue(1) */
const SENTENCES: Record<string, string> = {
  Resources: 'Waits for nodes to become free.',
  Priority: 'Waits behind jobs of higher priority in the same partition.',
  Dependency: 'Waits for a job that it depends on.',
  DependencyNeverSatisfied: 'Depends on a job that failed, so it will never start; cancel it.',
  BeginTime: 'Waits for its begin time.',
  JobHeldUser: 'Held by its user; release it to let it run.',
  JobHeldAdmin: 'Held by an administrator, who alone can release it.',
  JobHoldMaxRequeue: 'Was requeued too often and is held; an administrator can release it.',
  JobLaunchFailure: 'Could not be launched on its nodes; see the log of slurmd there.',
  BadConstraints: 'No nodes satisfy its constraints; cancel it and ask for others.',
  Licenses: 'Waits for a licence.',
  Reservation: 'Waits for its reservation to begin.',
  ReqNodeNotAvail: 'A node that it needs is not available now: down, drained or reserved.',
  NodeDown: 'A node that it needs is down.',
  PartitionDown: 'The partition is down; an administrator can bring it up, or choose another partition.',
  PartitionInactive: 'The partition takes no jobs now; choose another partition.',
  PartitionNodeLimit:
    'Asks for more nodes than the partition gives to one job; ask for fewer, or choose another partition.',
  PartitionTimeLimit:
    'Asks for more time than the partition allows; ask for less, or choose another partition.',
  PartitionConfig: 'Asks for what the partition does not have; choose another partition.',
  AssociationJobLimit: 'The account has as many jobs as it may; it starts when one of them ends.',
  AssocMaxJobsLimit: 'The account runs as many jobs as it may; it starts when one of them ends.',
  AssocGrpCpuLimit: 'The account uses as many CPUs as it may; it starts when some become free.',
  AssocGrpNodeLimit: 'The account uses as many nodes as it may; it starts when some become free.',
  AssocMaxSubmitJobLimit: 'The account has submitted as many jobs as it may.',
  QOSMaxJobsPerUserLimit:
    'The quality of service lets the user run no more jobs at once; it starts when one ends.',
  QOSMaxCpuPerUserLimit:
    'The quality of service gives the user no more CPUs at once; it starts when some become free.',
  QOSMaxNodePerUserLimit:
    'The quality of service gives the user no more nodes at once; it starts when some become free.',
  QOSMaxWallDurationPerJobLimit: 'Asks for more time than the quality of service allows; ask for less.',
  QOSMaxSubmitJobPerUserLimit: 'The user has submitted as many jobs as the quality of service allows.',
  InvalidAccount: 'The Slurm account is not valid for this user.',
  InvalidQOS: 'The quality of service is not valid for this user.',
  Cleaning: 'Is being requeued: its previous run is still being cleaned up.',
  Prolog: 'Its nodes are being prepared.',
};

/**
 * Slurm's reason code for a waiting job as a sentence. Some reasons come with details behind a comma or as a
 * sentence of their own, such as `ReqNodeNotAvail, UnavailableNodes:node03`.
 */
export function waitingReason(reason: string): Reason | null {
  if (reason === '' || reason === 'None') return null;
  const code = /^\w+/.exec(reason)?.[0] ?? reason;
  const detail = reason.slice(code.length).replace(/^[,\s]+/, '');
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined;
  if (sentence === undefined) return { code, message: `Waits; Slurm's reason is "${reason}".` };
  return { code, message: detail === '' ? sentence : `${sentence} (${detail})` };
}
