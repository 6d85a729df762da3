import type { BoardStep } from '../board-step.ts';
import { hostnameStep } from './hostname-step.ts';
import { hostsStep } from './hosts-step.ts';

/** What has to be so on boards, in the order in which it is seen to. */
export const BOARD_STEPS: readonly BoardStep[] = [hostsStep, hostnameStep];
