import type { Procedures } from '../procedures.ts';
import { accountsStep } from './base/accounts-step.ts';
import { aptProxyStep } from './base/apt-proxy-step.ts';
import { memoryCgroupStep } from './base/memory-cgroup-step.ts';
import { nodeExporterStep } from './base/node-exporter-step.ts';
import { timeStep } from './base/time-step.ts';
import { upgradeStep } from './base/upgrade-step.ts';
import { COMPUTE_STEPS } from './compute/compute-steps.ts';
import { hostnameStep } from './hostname-step.ts';
import { hostsStep } from './hosts-step.ts';
import { drainStep } from './life/drain-step.ts';
import { forgetKeyStep } from './life/forget-key-step.ts';
import { jobsStep } from './life/jobs-step.ts';
import { forgetNodeStep, leaveMountsStep, leaveSlurmStep } from './life/leave-steps.ts';
import { rebootStep, restartIfNeededStep } from './life/reboot-step.ts';
import { resumeStep } from './life/resume-step.ts';
import { networkStep } from './network/network-step.ts';
import { diskStep } from './storage/disk-step.ts';
import { exportsStep } from './storage/exports-step.ts';
import { fileSystemsStep } from './storage/file-systems-step.ts';
import { packageCacheStep } from './storage/package-cache-step.ts';
import { withdrawExportsStep } from './storage/withdraw-exports-step.ts';

/**
 * What has to be so on boards, in the order in which it is seen to, and what else is done with nodes. The network comes
 * first, because the hosts file has the address; what may restart the board comes before Slurm has it.
 */
export const PROCEDURES: Procedures = {
  enrol: [
    networkStep,
    hostsStep,
    hostnameStep,
    aptProxyStep,
    timeStep,
    accountsStep,
    memoryCgroupStep,
    nodeExporterStep,
    diskStep,
    fileSystemsStep,
    exportsStep,
    packageCacheStep,
    ...COMPUTE_STEPS,
  ],
  hosts: [hostsStep],
  drain: [drainStep],
  resume: [resumeStep],
  reboot: [drainStep, jobsStep, rebootStep, resumeStep],
  upgrade: [drainStep, jobsStep, upgradeStep, restartIfNeededStep, resumeStep],
  decommission: [
    withdrawExportsStep,
    drainStep,
    jobsStep,
    leaveSlurmStep,
    forgetNodeStep,
    leaveMountsStep,
    forgetKeyStep,
  ],
};
