import { describe, expect, it } from 'vitest';
import { parse, parseNodeState } from './scontrol-show-node.ts';

const NODE =
  'NodeName=node05 Arch=aarch64 CoresPerSocket=4  CPUAlloc=1 CPUEfctv=3 CPUTot=4 CPULoad=0.44 AvailableFeatures=rpi4,arm64 ActiveFeatures=rpi4 ' +
  'Gres=(null) NodeAddr=10.0.0.5 NodeHostName=node05 Port=6818 Version=22.05.8 OS=Linux 6.6.31+rpt-rpi-v8 #1 SMP PREEMPT Debian 1:6.6.31-1+rpt1 (2024-05-29)  ' +
  'RealMemory=3800 AllocMem=900 FreeMem=2000 Sockets=1 Boards=1 State=MIXED+DRAIN ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A ' +
  'Partitions=compute,short  BootTime=1795363261 SlurmdStartTime=1795365719 CfgTRES=cpu=4,mem=3800M,billing=4 AllocTRES= CapWatts=n/a';

describe('scontrol show node', () => {
  it('reads a node', () => {
    expect(parse(`${NODE} Reason=replace the SD card State=IDLE [root@1795365750]\n`)).toEqual([
      {
        name: 'node05',
        address: '10.0.0.5',
        state: 'mixed',
        flags: ['drain'],
        reason: 'replace the SD card State=IDLE',
        partitions: ['compute', 'short'],
        features: ['rpi4', 'arm64'],
        cpus: 3,
        cpusAllocated: 1,
        memoryMebibytes: 3800,
        memoryAllocatedMebibytes: 900,
        architecture: 'aarch64',
        operatingSystem: 'Linux 6.6.31+rpt-rpi-v8 #1 SMP PREEMPT Debian 1:6.6.31-1+rpt1 (2024-05-29)',
        slurmVersion: '22.05.8',
        bootedAt: '2026-11-22T16:01:01.000Z',
      },
    ]);
  });

  it('reads a node that has never registered, and one of Slurm 20.11 without CPUEfctv', () => {
    const bare =
      'NodeName=node09 CoresPerSocket=1  CPUAlloc=0 CPUTot=1 CPULoad=N/A AvailableFeatures=(null) ActiveFeatures=(null) Gres=(null) ' +
      'NodeAddr=node09 NodeHostName=node09 RealMemory=1 AllocMem=0 FreeMem=N/A Sockets=1 Boards=1 State=UNKNOWN* BootTime=None';
    expect(parse(`${bare}\n`)).toEqual([
      expect.objectContaining({
        state: 'unknown',
        flags: ['not_responding'],
        features: [],
        partitions: [],
        cpus: 1,
        architecture: null,
        operatingSystem: null,
        slurmVersion: null,
        bootedAt: null,
        reason: null,
      }),
    ]);
  });

  it('keeps a reason of several lines with its node, and leaves out the comment behind it', () => {
    const text = `${NODE} Reason=first\nsecond [root@1795365750] Comment=do not touch\n${NODE.replaceAll('node05', 'node06')}\n`;
    expect(parse(text).map(({ name, reason }) => [name, reason])).toEqual([
      ['node05', 'first\nsecond'],
      ['node06', null],
    ]);
  });

  it('reads a cluster without nodes', () => {
    expect(parse('No nodes in the system\n')).toEqual([]);
  });

  it.each([
    'slurm_load_node error',
    'NodeName=x State=IDLE',
    NODE.replace('RealMemory=3800', 'RealMemory=lots'),
  ])('refuses %s', (stdout) => {
    expect(() => parse(stdout)).toThrow(SyntaxError);
  });
});

describe('the state of a node', () => {
  it.each([
    ['IDLE', 'idle', []],
    ['IDLE+DRAIN*', 'idle', ['drain', 'not_responding']],
    ['DOWN*+DRAIN', 'down', ['drain', 'not_responding']],
    ['DOWN+NOT_RESPONDING', 'down', ['not_responding']],
    ['IDLE+CLOUD+POWERED_DOWN', 'idle', ['cloud', 'powered_down']],
    ['IDLE~', 'idle', ['powered_down']],
    ['MIXED-', 'mixed', ['planned']],
    ['ALLOCATED+MAINTENANCE+RESERVED', 'allocated', ['maintenance', 'reserved']],
  ])('%s', (text, state, flags) => {
    expect(parseNodeState(text)).toEqual({ state, flags });
  });

  it('is refused where it is none', () => {
    expect(() => parseNodeState('+DRAIN')).toThrow(SyntaxError);
  });
});
