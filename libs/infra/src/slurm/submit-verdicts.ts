/**
 * What a text of sbatch's means for the job:
 *
 * - `refused`: slurmctld, or sbatch before it asked slurmctld, said no to what the job asks for
 * - `later`: nothing was taken, for a reason that passes
 * - `unclear`: the exchange with slurmctld went wrong somewhere
 */
export interface SubmitVerdict {
  kind: 'refused' | 'later' | 'unclear';
  /** Stable code, in the spelling of Slurm's reasons. */
  code: string;
  /** What it means and what would help: a sentence without its full stop. */
  sentence: string;
}

type Rule = readonly [text: RegExp, kind: SubmitVerdict['kind'], code: string, sentence: string];

/**
 * slurmctld's answers, and where it could not be asked, as they stand behind `Batch job submission failed:`.
 * @see https://github.com/SchedMD/slurm/blob/slurm-22-05-8-1/src/common/slurm_errno.c
 */
const ANSWERS: readonly Rule[] = [
  // Only said where no connection came about, so that nothing was sent.
  [
    /^Unable to contact slurm controller \(connect failure\)/,
    'later',
    'ControllerUnreachable',
    "Slurm's controller could not be reached, and the job will be handed over when it can",
  ],
  [
    /^Unable to contact slurm controller/,
    'unclear',
    'ControllerUnreachable',
    "the exchange with Slurm's controller broke off",
  ],

  [
    /^Invalid partition name specified/,
    'refused',
    'InvalidPartition',
    'The cluster has no such partition; choose one that it has',
  ],
  [
    /^No partition specified or system default partition/,
    'refused',
    'NoDefaultPartition',
    'The cluster has no default partition; name one in "partition"',
  ],
  [
    /^User's group not permitted to use this partition/,
    'refused',
    'PartitionNotPermitted',
    'The account may not use this partition; choose another one, or ask an administrator',
  ],
  [
    /^Requested nodes not in this partition/,
    'refused',
    'NodesNotInPartition',
    'The nodes are not in this partition; choose another partition',
  ],
  [
    /^Requested partition configuration not available now/,
    'later',
    'PartitionConfig',
    'The partition cannot give this now, and the job will be handed over again',
  ],
  [
    /^Required partition not available \(inactive or drain\)/,
    'later',
    'PartitionInactive',
    'The partition takes no jobs now; an administrator can bring it up, or cancel the job and choose another partition',
  ],
  [
    /^Partition in DOWN state/,
    'later',
    'PartitionDown',
    'The partition is down; an administrator can bring it up, or cancel the job and choose another partition',
  ],

  [
    /^Requested time limit is invalid/,
    'refused',
    'InvalidTimeLimit',
    'The time limit is longer than the partition allows; ask for less in "timeLimit", or choose another partition',
  ],
  [
    /^Time limit specification required/,
    'refused',
    'MissingTimeLimit',
    'This cluster takes no job without a time limit; give one in "timeLimit"',
  ],
  [
    /^Node count specification invalid/,
    'refused',
    'InvalidNodeCount',
    'The partition does not have, or does not give to one job, so many nodes; ask for fewer in "nodes", or choose another partition',
  ],
  [
    /^(More processors requested than permitted|Requested more tasks than available processors)/,
    'refused',
    'TooManyCpus',
    'The partition does not have, or does not give to one job, so many CPUs; ask for fewer nodes, tasks or CPUs for each, or choose another partition',
  ],
  [
    /^CPU count specification invalid/,
    'refused',
    'InvalidCpuCount',
    'No node can give so many CPUs; ask for fewer in "cpusPerTask" or "tasksPerNode"',
  ],
  [
    /^Task count specification invalid/,
    'refused',
    'InvalidTaskCount',
    'The number of tasks does not fit the number of nodes; change "tasks" or "nodes"',
  ],
  [
    /^Memory required by task is not available/,
    'refused',
    'InvalidMemory',
    'No node has so much memory; ask for less in "memory"',
  ],
  [
    /^Requested node configuration is not available/,
    'refused',
    'NodeConfigurationNotAvailable',
    'No nodes of the partition are as the job needs them; ask for fewer nodes, CPUs or less memory, or choose another partition or constraint',
  ],
  [
    /^Invalid feature specification/,
    'refused',
    'InvalidFeature',
    'No node has a feature that "constraint" names; choose from the features that the nodes have',
  ],
  [
    /^Invalid account or account\/partition combination specified/,
    'refused',
    'InvalidAccount',
    'The Slurm account in "account" is not valid for this user and partition; choose another one, or ask an administrator',
  ],
  [
    /^Invalid qos specification/,
    'refused',
    'InvalidQOS',
    'The quality of service in "qos" is not valid for this user; choose another one, or ask an administrator',
  ],
  [
    /^Requested account has breached requested QOS usage threshold/,
    'refused',
    'QOSUsageThreshold',
    'The account has used too much for this quality of service; choose another one in "qos"',
  ],
  [
    /^(Invalid user id|User not found on host|Invalid group id|Group ID not found on host)/,
    'refused',
    'InvalidUser',
    "Slurm's controller does not know the Unix account; it must have the same uid on every machine of the cluster",
  ],
  [
    /^Access\/permission denied/,
    'refused',
    'AccessDenied',
    'The account may not submit this job; ask an administrator',
  ],
  [/^Invalid license specification/, 'refused', 'InvalidLicense', 'The cluster has no such licence'],
  [
    /^(Access denied to requested reservation|Requested reservation is invalid)/,
    'refused',
    'InvalidReservation',
    'There is no such reservation for this account',
  ],
  [
    /^Job dependency problem/,
    'refused',
    'InvalidDependency',
    'The job depends on one that Slurm does not have',
  ],
  [/^Invalid node name specified/, 'refused', 'InvalidNodeName', 'The cluster has no such node'],
  [
    /^Invalid job array specification/,
    'refused',
    'InvalidArray',
    'The array is larger than the cluster takes; split it',
  ],
  [
    /^Pathname of a file, directory or other parameter too long/,
    'refused',
    'PathnameTooLong',
    'A text of the job is longer than Slurm takes; shorten it',
  ],

  [
    /^(System submissions disabled|Requested operation is presently disabled)/,
    'later',
    'SubmissionsDisabled',
    'Slurm takes no jobs now, and the job will be handed over when it does',
  ],
  [
    /^(Slurm temporarily unable to accept job|Resource temporarily unavailable|Slurm job queue full|Unable to create job record, try again)/,
    'later',
    'MaxJobCount',
    'Slurm has as many jobs as it can hold (MaxJobCount), and the job will be handed over when some have ended',
  ],
  [
    /^(Requested nodes are busy|Job creation temporarily disabled|Required node not available)/,
    'later',
    'NodesBusy',
    'The nodes that the job needs cannot be had now, and the job will be handed over again',
  ],
  [
    /^(Slurm backup controller in standby mode|Controller is in standby mode)/,
    'later',
    'ControllerStandby',
    "Slurm's backup controller is on standby, and the job will be handed over when a controller serves",
  ],
  [
    /^I\/O error writing script\/environment to file/,
    'later',
    'ControllerStorage',
    "Slurm's controller cannot write to its own storage; an administrator must look after it",
  ],
  [
    /^Slurm internal error/,
    'later',
    'ControllerError',
    "Slurm's controller failed; an administrator must look after it",
  ],

  // slurmctld's answer where a site's own job_submit plugin said no; the plugin's message stands before it.
  [/^Unspecified error/, 'refused', 'RefusedBySite', "The cluster's own rules do not allow this job"],
];

/** What sbatch says by itself, before it has asked slurmctld anything. */
const COMPLAINTS: readonly Rule[] = [
  [
    /auth_g_create: REQUEST_SUBMIT_BATCH_JOB has authentication error/,
    'later',
    'AuthenticationUnavailable',
    'The submit host could not prove who it is (is munged running there?), and nothing was sent',
  ],
  [
    /(Unable to process configuration file|Could not establish a configuration source)/,
    'later',
    'SlurmNotConfigured',
    'The submit host has no usable configuration of Slurm',
  ],
  [
    /Invalid generic resource \(gres\) specification/,
    'refused',
    'InvalidGres',
    'The cluster has no such generic resource',
  ],
  [
    /(unrecognized option|invalid option|option '.*' requires an argument|Invalid --|Invalid numeric value|specification)/,
    'refused',
    'InvalidOption',
    'sbatch does not understand an option of the job',
  ],
  [/Batch script is empty/, 'refused', 'EmptyScript', 'The batch script is empty'],
  [
    /This does not look like a batch script/,
    'refused',
    'InvalidScript',
    'The batch script must start with "#!" and the interpreter',
  ],
  [
    /Batch script contains DOS line breaks/,
    'refused',
    'InvalidScript',
    'The batch script must have Unix line ends',
  ],
  [
    /job script exceeds size|script is too large|Script too large/i,
    'refused',
    'ScriptTooLarge',
    'The batch script is larger than the cluster takes',
  ],
  [
    /^sudo: (?:a password is required|a terminal is required|unknown user|.*not allowed to execute|.*not in the sudoers)/,
    'later',
    'CannotBecomeAccount',
    'The login node does not let Bramble act for the account',
  ],
  [/^setpriv: /, 'later', 'CannotBecomeAccount', 'The login node does not let Bramble act for the account'],
];

/** Words of failures between sbatch and slurmctld, after which nobody knows what slurmctld has. */
const COMMUNICATION =
  /socket|timed ?out|bytes|messag|communicat|contact|connect|\bsend|\bsent\b|receiv|transmit|header|authenticat|credential|munge|version|missing|address|pipe|reset|interrupt|progress|No route|host is/i;

const POLICY = 'Job violates accounting/QOS policy';

/** Names of limits, as slurmctld sends them ahead of its refusal: `AssocMaxSubmitJobLimit`, `QOSMaxWallDurationPerJobLimit`. */
const LIMIT =
  /^(?:Assoc|QOS|Account|User)[A-Za-z]*(?:Limit|PerJob|PerNode|PerUser|PerAccount|PerAcct|PU|PA)$/;

/**
 * What slurmctld's answer means.
 * @param notes what sbatch wrote ahead of it: slurmctld's explanations
 */
export function judgeAnswer(answer: string, notes: readonly string[]): SubmitVerdict {
  if (answer.startsWith(POLICY)) return judgePolicy(notes);
  const complaint = find(
    COMPLAINTS,
    notes.filter((note) => note.includes('auth_g_create')),
  );
  if (complaint !== undefined) return complaint;
  const known = find(ANSWERS, [answer]);
  if (known !== undefined)
    return known.code === 'NodeConfigurationNotAvailable' ? refine(known, notes) : known;
  if (COMMUNICATION.test(answer)) return UNCLEAR;
  return { kind: 'refused', code: 'SubmissionRefused', sentence: 'Slurm refused the job' };
}

/** What sbatch's own complaints mean, where it ended without having said that the submission failed. */
export function judgeComplaints(complaints: readonly string[]): SubmitVerdict {
  const known = find(COMPLAINTS, complaints);
  if (known !== undefined) return known;
  if (complaints.length === 0 || complaints.some((text) => COMMUNICATION.test(text))) return UNCLEAR;
  return { kind: 'refused', code: 'SubmissionRefused', sentence: 'sbatch refused the job' };
}

const UNCLEAR: SubmitVerdict = {
  kind: 'unclear',
  code: 'Unclear',
  sentence: 'it is not known whether Slurm has the job',
};

/**
 * A limit on how many jobs there are passes when jobs end. A limit on what one job may ask for does not. Where Slurm
 * does not say which it was, the job waits: a limit is not a failure.
 */
function judgePolicy(notes: readonly string[]): SubmitVerdict {
  const limit = notes.findLast((note) => LIMIT.test(note));
  if (limit !== undefined && !limit.includes('Submit')) {
    return {
      kind: 'refused',
      code: limit,
      sentence:
        'The job asks for more than a limit of its Slurm account or quality of service allows; ask for less',
    };
  }
  return {
    kind: 'later',
    code: limit ?? 'AccountingPolicy',
    sentence:
      'The account has as many jobs in Slurm as it may, and this one will be handed over when some have ended',
  };
}

function refine(verdict: SubmitVerdict, notes: readonly string[]): SubmitVerdict {
  if (notes.some((note) => note.startsWith('Memory specification can not be satisfied'))) {
    return {
      kind: 'refused',
      code: 'InvalidMemory',
      sentence: 'No node of the partition has so much memory; ask for less in "memory"',
    };
  }
  if (notes.some((note) => note.startsWith('CPU count per node can not be satisfied'))) {
    return {
      kind: 'refused',
      code: 'InvalidCpuCount',
      sentence: 'No node of the partition has so many CPUs; ask for fewer in "cpusPerTask" or "tasksPerNode"',
    };
  }
  return verdict;
}

function find(rules: readonly Rule[], texts: readonly string[]): SubmitVerdict | undefined {
  const rule = rules.find(([pattern]) => texts.some((text) => pattern.test(text)));
  if (rule === undefined) return undefined;
  const [, kind, code, sentence] = rule;
  return { kind, code, sentence };
}
