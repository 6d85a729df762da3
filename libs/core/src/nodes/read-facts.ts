import { z } from 'zod';
import type { BoardFacts } from './board.ts';
import type { BoardConnection } from './board-connection.ts';
import { StepProblem } from './board-step.ts';
import { clockSkew } from './clock-skew.ts';
import { succeed } from './succeed.ts';
import { decodeThrottled } from './throttling.ts';

/** Everything at once, because each question of its own costs a way to the board and back. */
const SCRIPT = `
fact() { printf '%s\\t%s\\n' "$1" "$(shift; "$@" 2> /dev/null | tr -d '\\0' | head -n 1)"; }
tree=/sys/firmware/devicetree/base
fact model cat "$tree/model"
fact serial cat "$tree/serial-number"
fact revision sed -n 's/^Revision[[:space:]]*: *//p' /proc/cpuinfo
fact machineId cat /etc/machine-id
fact hostname cat /proc/sys/kernel/hostname
fact architecture dpkg --print-architecture
fact cpus getconf _NPROCESSORS_ONLN
fact memory sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo
fact pageSize getconf PAGESIZE
fact os sh -c '. /etc/os-release; echo "$ID $VERSION_ID"'
fact kernel uname -r
fact temperature cat /sys/class/thermal/thermal_zone0/temp
fact throttled vcgencmd get_throttled
fact disks sh -c 'lsblk --json --bytes --nodeps --output NAME,TYPE,SIZE,MODEL,SERIAL | tr -d "\\n"'
fact time date +%s.%N
`;

/**
 * Asks a board what it is.
 * @param nowMs the worker's clock, to compare the board's with
 * @throws StepProblem where it does not answer, or is no Debian
 */
export async function readFacts(connection: BoardConnection, nowMs: () => number): Promise<BoardFacts> {
  const askedAt = nowMs();
  const { stdout } = await succeed(connection, { argv: ['sh', '-c', SCRIPT], root: true });
  return parseFacts(stdout, askedAt, nowMs());
}

/**
 * @param askedAtMs what the worker's clock showed before the question
 * @param answeredAtMs and after the answer
 */
export function parseFacts(text: string, askedAtMs: number, answeredAtMs: number): BoardFacts {
  const facts = new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('\t');
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()]];
    }),
  );
  const optional = (name: string): string | null => facts.get(name) || null;
  const needed = (name: string): string => {
    const value = optional(name);
    if (value === null) throw new StepProblem(`The board does not tell its ${LABELS[name] ?? name}: ${HELP}`);
    return value;
  };
  const number = (name: string): number => {
    const value = Number(needed(name));
    if (!Number.isFinite(value))
      throw new StepProblem(`The board's ${LABELS[name] ?? name} is no number: ${HELP}`);
    return value;
  };
  const temperature = optional('temperature');
  return {
    model: optional('model'),
    serial: optional('serial'),
    revision: optional('revision'),
    machineId: needed('machineId'),
    hostname: needed('hostname'),
    architecture: needed('architecture'),
    cpus: number('cpus'),
    memoryMebibytes: Math.floor(number('memory') / 1024),
    pageSizeBytes: number('pageSize'),
    os: needed('os'),
    kernel: needed('kernel'),
    disks: parseDisks(optional('disks')),
    temperatureCelsius: temperature === null ? null : Number(temperature) / 1000,
    throttled: decodeThrottled(facts.get('throttled') ?? '') ?? null,
    clockSkewSeconds: clockSkew(number('time'), askedAtMs, answeredAtMs).seconds,
  };
}

const lsblkSchema = z.object({
  blockdevices: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      size: z.coerce.number(),
      model: z.string().nullable(),
      serial: z.string().nullable(),
    }),
  ),
});

/** @returns none where lsblk was not understood: nothing is decided by it */
function parseDisks(text: string | null): BoardFacts['disks'] {
  if (text === null) return [];
  try {
    return lsblkSchema
      .parse(JSON.parse(text))
      .blockdevices.filter(({ type, size }) => type === 'disk' && size > 0)
      .map(({ name, size, model, serial }) => ({
        ...{ name, sizeMebibytes: Math.floor(size / 1024 ** 2) },
        ...{ model: model?.trim() ?? null, serial },
      }));
  } catch {
    return [];
  }
}

const HELP = 'it has to run Raspberry Pi OS or Debian.';
const LABELS: Partial<Record<string, string>> = {
  machineId: 'machine id (/etc/machine-id)',
  architecture: 'architecture (dpkg)',
  os: 'operating system (/etc/os-release)',
};
