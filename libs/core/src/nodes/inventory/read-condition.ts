import type { BoardConnection } from '../board-connection.ts';
import { StepProblem } from '../board-step.ts';
import { clockSkew } from '../clock-skew.ts';
import { succeed } from '../succeed.ts';
import { decodeThrottled } from '../throttling.ts';
import type { BoardCondition } from './board-health.ts';

/** One command for all, of programs that every Debian has; `vcgencmd` needs root or the group video. */
const SCRIPT = `
fact() { printf '%s\\t%s\\n' "$1" "$(shift; "$@" 2> /dev/null | head -n 1)"; }
fact temperature cat /sys/class/thermal/thermal_zone0/temp
fact throttled vcgencmd get_throttled
fact disk sh -c 'df -Pk / | sed -n 2p'
fact load cat /proc/loadavg
fact uptime cat /proc/uptime
fact bootId cat /proc/sys/kernel/random/boot_id
fact time date +%s.%N
`;

const TIMEOUT_MS = 8_000;

/**
 * Asks a board how it is. It changes nothing there.
 * @param nowMs the worker's clock, to compare the board's with
 * @throws StepProblem where it does not answer, or not in time
 */
export async function readCondition(
  connection: BoardConnection,
  nowMs: () => number,
): Promise<BoardCondition> {
  const askedAt = nowMs();
  const { stdout } = await succeed(connection, {
    argv: ['sh', '-c', SCRIPT],
    root: true,
    timeoutMs: TIMEOUT_MS,
  });
  return parseCondition(stdout, askedAt, nowMs());
}

/**
 * @param askedAtMs what the worker's clock showed before the question
 * @param answeredAtMs and after the answer
 * @throws StepProblem naming what the board did not tell
 */
export function parseCondition(text: string, askedAtMs: number, answeredAtMs: number): BoardCondition {
  const facts = new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('\t');
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()]];
    }),
  );
  const needed = (name: string, pattern: RegExp): RegExpExecArray => {
    const found = pattern.exec(facts.get(name) ?? '');
    if (found === null) throw new StepProblem(`It does not tell its ${name}.`);
    return found;
  };
  // Names of devices may have spaces: what is counted stands at the end.
  const [, used = '', free = ''] = needed('disk', /(\d+) +(\d+) +\d+% +\/$/);
  const total = Number(used) + Number(free);
  const [upSeconds] = needed('uptime', /^\d+(\.\d+)?/);
  const [timeSeconds] = needed('time', /^\d+(\.\d+)?$/);
  const [load] = needed('load', /^\d+(\.\d+)?/);
  const [bootId] = needed('bootId', /^[0-9a-f-]{36}$/);
  const skew = clockSkew(Number(timeSeconds), askedAtMs, answeredAtMs);
  const atMs = (askedAtMs + answeredAtMs) / 2;
  const temperature = /^-?\d+$/.exec(facts.get('temperature') ?? '')?.[0];
  return {
    temperatureCelsius: temperature === undefined ? null : Number(temperature) / 1000,
    throttled: decodeThrottled(facts.get('throttled') ?? '') ?? null,
    clockSkewSeconds: skew.seconds,
    clockSkewUncertaintySeconds: skew.uncertaintySeconds,
    rootUsedPercent: total === 0 ? 0 : Math.round((Number(used) / total) * 1000) / 10,
    rootFreeMebibytes: Math.floor(Number(free) / 1024),
    load: Number(load),
    bootId,
    bootedAt: new Date(atMs - Number(upSeconds) * 1000).toISOString(),
    readAt: new Date(atMs).toISOString(),
  };
}
