import type { Procedures } from '../procedures.ts';
import { hostnameStep } from './hostname-step.ts';
import { hostsStep } from './hosts-step.ts';
import { drainStep } from './life/drain-step.ts';
import { jobsStep } from './life/jobs-step.ts';
import { rebootStep } from './life/reboot-step.ts';
import { resumeStep } from './life/resume-step.ts';

/** What has to be so on boards, in the order in which it is seen to, and what else is done with nodes. */
export const PROCEDURES: Procedures = {
  enrol: [hostsStep, hostnameStep],
  drain: [drainStep],
  resume: [resumeStep],
  reboot: [drainStep, jobsStep, rebootStep, resumeStep],
  upgrade: [],
  decommission: [],
};
