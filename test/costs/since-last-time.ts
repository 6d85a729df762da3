import { ownCpuSeconds } from './cpu-time.ts';

let counted = { wallSeconds: 0, cpuSeconds: 0 };

/** What this process has used since this was asked before, or since its start. */
export function sinceLastTime(): { wallSeconds: number; cpuSeconds: number } {
  const used = { wallSeconds: process.uptime(), cpuSeconds: ownCpuSeconds() };
  const { wallSeconds, cpuSeconds } = counted;
  counted = used;
  return { wallSeconds: used.wallSeconds - wallSeconds, cpuSeconds: used.cpuSeconds - cpuSeconds };
}
