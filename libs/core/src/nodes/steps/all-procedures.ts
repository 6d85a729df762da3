import type { Procedures } from '../procedures.ts';
import { hostnameStep } from './hostname-step.ts';
import { hostsStep } from './hosts-step.ts';

/** What has to be so on boards, in the order in which it is seen to, and what else is done with nodes. */
export const PROCEDURES: Procedures = {
  enrol: [hostsStep, hostnameStep],
  drain: [],
  resume: [],
  reboot: [],
  upgrade: [],
  decommission: [],
};
