import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureDebianPackages } from '../../scripts/debian-packages.ts';
import { waitUntil } from '../lab/waiting.ts';
import { PodOnThisMachine } from './pod.ts';
import type { Container, PodSpec } from './pod.ts';
import { lintChart, only, renderChart } from './render.ts';
import type { RenderedObject } from './render.ts';
import { twoHosts } from './two-hosts.ts';
import type { TwoHosts } from './two-hosts.ts';

const CONTROLLER = '10.0.0.35';
const BOARD = '10.0.0.102';
const SLURM = 64030;
/** An account of every Debian. */
const ACCOUNT = { uid: 2, gid: 2 };
/** Control groups are the machine's own: here nothing is made in them. */
const WITHOUT_CGROUPS = { ProctrackType: 'proctrack/linuxproc', TaskPlugin: 'task/none' };
const QUICK = { SchedulerParameters: 'batch_sched_delay=0,sched_min_interval=0' };

const slurmConf = async (values: object = {}): Promise<string[]> => {
  const { data } = only(await renderChart('slurm', { values }), 'ConfigMap', 'slurm');
  return (data as Record<string, string>)['slurm.conf']?.split('\n') ?? [];
};

describe('the chart slurm', () => {
  it('passes helm lint, with its defaults and with everything', async () => {
    await lintChart('slurm');
    await lintChart('slurm', {
      accounting: { enabled: true },
      accounts: [{ name: 'ada', uid: 2001, gid: 2001 }],
      mounts: [{ server: '10.0.0.20', path: '/srv/home', at: '/home' }],
      exec: [{ namespace: 'bramble', serviceAccount: 'worker' }],
    });
  });

  it.each([
    [
      'a parameter that the chart keeps to itself',
      { settings: { StateSaveLocation: '/tmp' } },
      'StateSaveLocation',
    ],
    ['a value that would end in a comment', { settings: { DebugFlags: 'x # y' } }, 'DebugFlags'],
    ['a value of two lines', { settings: { DebugFlags: 'x\nSlurmUser=root' } }, 'DebugFlags'],
    ['a release that no Debian has', { release: '23.11' }, 'release'],
    [
      'two default partitions',
      {
        partitions: [
          { name: 'a', nodes: 'ALL', default: true },
          { name: 'b', nodes: 'ALL', default: true },
        ],
      },
      'Only one partition can be the default: a, b',
    ],
    [
      'a number for two accounts',
      {
        accounts: [
          { name: 'ada', uid: 2001, gid: 2001 },
          { name: 'bob', uid: 2001, gid: 2002 },
        ],
      },
      'ada and bob have the same uid 2001',
    ],
    ['an account of the system', { accounts: [{ name: 'ada', uid: 0, gid: 100 }] }, 'uid'],
  ])('refuses %s', async (_, values, message) => {
    await expect(renderChart('slurm', { values })).rejects.toThrow(message);
  });

  it('takes parameters, and leaves out those that are null', async () => {
    const lines = await slurmConf({
      settings: { MinJobAge: 60, DefMemPerCPU: null, SelectTypeParameters: 'CR_CPU' },
      partitions: [
        { name: 'all', nodes: 'ALL', default: true },
        { name: 'pi4', feature: 'rpi4', maxTime: '00:10:00' },
      ],
    });
    expect(lines).toContain('MinJobAge=60');
    expect(lines.filter((line) => line.startsWith('DefMemPerCPU'))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('SelectTypeParameters'))).toEqual([
      'SelectTypeParameters=CR_CPU',
    ]);
    expect(lines).toContain('NodeSet=pi4 Feature=rpi4');
    expect(lines).toContain('PartitionName=pi4 Nodes=pi4 Default=NO MaxTime=00:10:00 State=UP');
  });

  it('keeps the address that a node registers from, and the state and the key after an uninstallation', async () => {
    const objects = await renderChart('slurm');
    expect(only(objects, 'Service', 'slurm').spec).toMatchObject({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
    });
    expect(only(objects, 'StatefulSet').spec).toMatchObject({
      replicas: 1,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain' },
    });
    expect(only(objects, 'Secret').metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  });

  it('lets others run commands in its own pod only', async () => {
    const exec = [{ namespace: 'bramble', serviceAccount: 'worker' }];
    const { rules } = only(await renderChart('slurm', { values: { exec } }), 'Role');
    for (const rule of rules as { resourceNames?: string[] }[])
      expect(rule.resourceNames).toEqual(['slurm-0']);
    expect((await renderChart('slurm')).some(({ kind }) => kind === 'Role')).toBe(false);
  });

  it('has a database daemon only where it is asked for, whose password is in no ConfigMap', async () => {
    expect((await renderChart('slurm')).some(({ kind }) => kind === 'Deployment')).toBe(false);
    const objects = await renderChart('slurm', { values: { accounting: { enabled: true } } });
    expect(JSON.stringify(only(objects, 'ConfigMap', 'slurm-accounting'))).not.toContain('StoragePass');
    expect(await slurmConf({ accounting: { enabled: true } })).toContain(
      'AccountingStorageHost=slurm-accounting',
    );
    const { template } = only(objects, 'Deployment').spec as { template: { spec: { hostname: string } } };
    expect(template.spec.hostname).toBe('slurm-accounting');
  });
});

describe('a real slurmctld with what the chart renders', () => {
  let directory: string;
  let network: TwoHosts;
  const pods: PodOnThisMachine[] = [];

  beforeAll(async () => {
    await ensureDebianPackages('slurm', console.log);
    directory = mkdtempSync('/var/tmp/bramble-slurm-');
    chmodSync(directory, 0o755);
    network = await twoHosts(`sc${process.pid}`, { first: [`${CONTROLLER}/24`], second: [`${BOARD}/24`] });
  });

  afterAll(async () => {
    for (const pod of pods.reverse()) await pod.remove();
    await network.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  it('starts with the defaults', async () => {
    const { pod } = await controller(await renderChart('slurm'), 'defaults');
    expect(await pod.exec('login', ['scontrol', 'show', 'config'])).toMatch(
      /^ProctrackType += proctrack\/cgroup$/m,
    );
    await pod.remove();
  });

  it('takes in a board that joins by itself, runs its jobs, and knows it after a restart', async () => {
    const objects = await renderChart('slurm', { values: { settings: { ...WITHOUT_CGROUPS, ...QUICK } } });
    const { pod, state, slurmctld } = await controller(objects, 'joined');
    await startBoard(objects);
    const sinfo = () => pod.exec('login', ['sinfo', '--noheader', '--format=%n %P %T %f']);
    const idle = async () => (await sinfo()).trim() === 'node02 all* idle rpi4,arm64';
    await waitUntil('node02 to be idle', idle, { onTimeout: sinfo });
    expect(await pod.exec('login', ['scontrol', 'show', 'node', 'node02'])).toContain(`NodeAddr=${BOARD} `);

    const become = ['setpriv', `--reuid=${ACCOUNT.uid}`, `--regid=${ACCOUNT.gid}`, '--clear-groups'];
    const submit = ['sbatch', '--parsable', '--chdir=/tmp', '--output=/dev/null', '--wrap', 'true'];
    const job = (await pod.exec('login', [...become, ...submit])).trim();
    const show = () => pod.exec('login', ['scontrol', 'show', 'job', job]);
    const completed = async () => (await show()).includes('JobState=COMPLETED');
    await waitUntil('the job', completed, { onTimeout: show });
    expect(await show()).toContain(`(${ACCOUNT.uid})`);

    await pod.stop(slurmctld);
    expect(readdirSync(join(state, 'slurmctld'))).toEqual(
      expect.arrayContaining(['job_state', 'node_state']),
    );
    await startController(pod, objects);
    await waitUntil('node02 to be idle again', idle, { onTimeout: sinfo });
    expect(await show()).toContain('JobState=COMPLETED');
  });

  async function controller(objects: RenderedObject[], name: string) {
    const state = join(directory, name);
    mkdirSync(join(state, 'slurmctld'), { recursive: true });
    for (const part of [state, join(state, 'slurmctld')]) {
      chownSync(part, 0, SLURM);
      chmodSync(part, 0o2775);
    }
    const pod = new PodOnThisMachine(directory, podSpec(objects), objects, {
      network: network.first,
      hostname: 'slurm-0',
      address: CONTROLLER,
      volumes: { state },
    });
    pods.push(pod);
    await startMunge(pod);
    return { pod, state, slurmctld: await startController(pod, objects) };
  }

  /** What a board has: munge with the same key, and slurmd as its step starts it. */
  async function startBoard(objects: RenderedObject[]): Promise<void> {
    const { initContainers = [], volumes = [] } = podSpec(objects);
    const slurmd: Container = {
      name: 'slurmd',
      command: ['slurmd', '-D', '--conf-server', `${CONTROLLER}:6817`, '-Z'],
      args: ['--conf', 'RealMemory=500 Feature=rpi4,arm64'],
      securityContext: { runAsUser: 0, capabilities: { add: ['ALL'] } },
      volumeMounts: [{ name: 'munge-socket', mountPath: '/run/munge' }],
    };
    const spec = {
      initContainers,
      containers: [slurmd],
      volumes: volumes.filter(({ name }) => name.startsWith('munge-')),
    };
    const around = { network: network.second, hostname: 'node02', address: BOARD };
    const board = new PodOnThisMachine(directory, spec, objects, around);
    pods.push(board);
    await startMunge(board);
    board.start('slurmd');
  }
});

async function startMunge(pod: PodOnThisMachine): Promise<void> {
  await pod.runToEnd('munge-key');
  pod.start('munged');
  const answers = () =>
    pod.exec('munged', ['munge', '--no-input']).then(
      () => true,
      () => false,
    );
  await waitUntil('munged', answers, { onTimeout: () => pod.output('munged') });
}

async function startController(pod: PodOnThisMachine, objects: RenderedObject[]) {
  const child = pod.start('slurmctld');
  const probe = podSpec(objects).containers.find(({ name }) => name === 'slurmctld') as unknown as {
    readinessProbe: { exec: { command: string[] } };
  };
  const ready = () =>
    pod.exec('slurmctld', probe.readinessProbe.exec.command).then(
      () => true,
      () => false,
    );
  await waitUntil('slurmctld', ready, { onTimeout: () => pod.output('slurmctld') });
  return child;
}

const podSpec = (objects: readonly RenderedObject[]): PodSpec =>
  (only(objects, 'StatefulSet').spec as { template: { spec: PodSpec } }).template.spec;
