import type { SlurmNode } from '#core/cluster/cluster';
import { readFeatures, readField, readRecords } from './scontrol-record.ts';
import { parseSlurmTime } from './slurm-time.ts';

export function command(): [string, ...string[]] {
  return ['scontrol', 'show', 'node', '--oneliner'];
}

/** @throws SyntaxError where a node is not understood */
export function parse(stdout: string): SlurmNode[] {
  return readRecords(stdout, 'NodeName').map(parseNode);
}

function parseNode(record: string): SlurmNode {
  const field = (key: string) => readField(record, key);
  const required = (key: string): string => {
    const value = field(key);
    if (value === null) throw new SyntaxError(`scontrol show node wrote no ${key}: ${record.slice(0, 200)}`);
    return value;
  };
  const name = required('NodeName');
  return {
    name,
    address: field('NodeAddr') ?? name,
    ...parseNodeState(required('State')),
    reason: readReason(record),
    partitions: field('Partitions')?.split(',') ?? [],
    features: readFeatures(field('AvailableFeatures')),
    // What jobs can have: newer than Slurm 22.05, it leaves out the cores that are kept for the system.
    cpus: readCount(field('CPUEfctv') ?? required('CPUTot')),
    cpusAllocated: readCount(required('CPUAlloc')),
    memoryMebibytes: readCount(required('RealMemory')),
    memoryAllocatedMebibytes: readCount(field('AllocMem') ?? '0'),
    architecture: field('Arch'),
    operatingSystem: readOperatingSystem(record),
    slurmVersion: field('Version'),
    bootedAt: parseSlurmTime(field('BootTime') ?? '')?.toISOString() ?? null,
  };
}

/**
 * What a character behind a state means.
 * @see https://slurm.schedmd.com/sinfo.html#SECTION_NODE-STATE-CODES
 */
const MARKS: Readonly<Record<string, string>> = {
  '*': 'not_responding',
  '~': 'powered_down',
  '#': 'powering_up',
  '!': 'power_down',
  '%': 'powering_down',
  $: 'maintenance',
  '@': 'reboot_requested',
  '^': 'reboot_issued',
  '-': 'planned',
};

/** `IDLE+DRAIN*` as a base state and flags, lower case. */
export function parseNodeState(text: string): { state: string; flags: string[] } {
  const flags = new Set<string>();
  const [state, ...rest] = text.split('+').map((word) => {
    const [, name = '', marks = ''] = /^(\w+)([^\w]*)$/.exec(word) ?? [];
    if (name === '') throw new SyntaxError(`not a state of a node: "${text}"`);
    return { name: name.toLowerCase(), marks: Array.from(marks, (mark) => MARKS[mark] ?? mark) };
  });
  for (const word of rest) flags.add(word.name);
  for (const word of [state, ...rest]) for (const mark of word?.marks ?? []) flags.add(mark);
  return { state: state?.name ?? '', flags: [...flags] };
}

function readCount(text: string): number {
  if (!/^\d{1,12}$/.test(text))
    throw new SyntaxError(`scontrol show node wrote "${text}" where a number belongs`);
  return Number(text);
}

/** What `uname` says, spaces included; two spaces of Slurm's own come before the next field. */
function readOperatingSystem(record: string): string | null {
  const text = / OS=(.*?) +RealMemory=/.exec(record)?.[1];
  return text === undefined || text === '' || text === '(null)' ? null : text;
}

/** Free text of an administrator's, behind which Slurm says `[who@when]`. */
function readReason(record: string): string | null {
  const text =
    / Reason=(.*?)(?: \[[^\]\s]*@[^\]]*\])?(?: +(?:Comment|Extra|InstanceId|InstanceType|ResumeAfterTime|ReservationName)=.*)?$/s.exec(
      record,
    )?.[1];
  return text === undefined || text === '' || text === '(null)' ? null : text;
}
