import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlurmNode } from '#core/cluster/cluster';
import type { BoardStep } from '#core/nodes/board-step';
import type { NodeOperation } from '#core/operations/operation';
import type { Site } from '#core/nodes/site';
import { COMPUTE_STEPS } from '#core/nodes/steps/compute/compute-steps';
import { mungeStep } from '#core/nodes/steps/compute/munge-step';
import { slurmdStep } from '#core/nodes/steps/compute/slurmd-step';
import { hostnameStep } from '#core/nodes/steps/hostname-step';
import { hostsStep } from '#core/nodes/steps/hosts-step';
import { present } from '#core/vocabulary/answer';
import { LocalTransport } from '#infra/slurm/local-transport';
import { SlurmCliController } from '#infra/slurm/slurm-cli-controller';
import { SlurmCliNodes } from '#infra/slurm/slurm-cli-nodes';
import { type BoardsLab, boardsDown, boardsUp } from '../../lab/boards/boards-lab.ts';
import {
  type SlurmForBoards,
  slurmForBoardsDown,
  slurmForBoardsUp,
} from '../../lab/boards/slurm-for-boards.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { existing } from '../../fakes/existing.ts';
import { ScriptedSlurmNodes } from '../../fakes/scripted-slurm-nodes.ts';
import { SITE } from '../../fakes/site.ts';
import { type StepsOnBoards, stepsOnBoards } from './board-steps.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-compute`;
const STEPS: readonly BoardStep[] = [hostsStep, hostnameStep, ...COMPUTE_STEPS];

let lab: BoardsLab;
let slurm: SlurmForBoards;
let nodes: SlurmCliNodes;
let site: Site;
let boards: StepsOnBoards;

beforeAll(async () => {
  await takeDown();
  lab = await boardsUp({ dir: DIRECTORY, boards: 3, stocked: 'mpi' });
  slurm = await slurmForBoardsUp(lab);
  const commands = { transport: new LocalTransport(), binDir: slurm.binDir, slurmConf: slurm.slurmConf };
  const controller = new SlurmCliController(commands);
  nodes = new SlurmCliNodes(commands);
  const mungeKey = async () => readFileSync(slurm.mungeKeyFile).toString('base64');
  site = { ...SITE, subnet: lab.subnet, slurm: { host: slurm.host, port: slurm.port, mungeKey } };
  boards = stepsOnBoards({ site, slurm: { nodes, jobs: controller } });
});
afterAll(takeDown);

async function takeDown(): Promise<void> {
  await slurmForBoardsDown(DIRECTORY);
  await boardsDown(DIRECTORY);
}

const machine = (index: number) => existing(lab.boards[index]);
const states = ({ steps }: NodeOperation) => steps.map(({ name, state }) => `${name}: ${state}`);
const applied = (operation: NodeOperation) =>
  operation.steps.filter(({ state }) => state === 'applied').map(({ name }) => name);
const node = async (name: string): Promise<SlurmNode> => {
  const answer = await nodes.find(name);
  if (answer.kind !== 'present') throw new Error(`Slurm does not tell of ${name}`);
  return answer.value;
};
const jobs = async () =>
  (await slurm.run(['squeue', '--states=all', '--noheader'])).stdout.split('\n').length - 1;
const shown = async (operation: NodeOperation, step: string) =>
  (await boards.output(operation))
    .filter((output) => output.step === step)
    .map(({ text }) => text)
    .join('');
const done = { state: 'done', reason: null };

describe('compute boards on a real Slurm', () => {
  it('are refused a slurmd that does not fit, before it is installed', async () => {
    const scripted = new ScriptedSlurmNodes();
    scripted.releaseAnswer = present('21.08.8');
    const refused = await stepsOnBoards({ site, slurm: scripted.ports }).enrol(machine(2), 'node04', [
      mungeStep,
      slurmdStep,
    ]);
    expect(refused).toMatchObject({ state: 'failed', reason: { code: 'slurmd' } });
    expect(refused.reason?.message).toMatch(
      /slurmd 22\.05\.8-\S+, and slurmctld is 21\.08\.8: slurmd must not be newer/,
    );
    expect(await machine(2).run(['test', '-e', '/usr/sbin/slurmd'])).toMatchObject({ exitCode: 1 });
  });

  it('join by themselves, with what they are, and run MPI', async () => {
    const operations = await Promise.all(
      [0, 1].map((index) => boards.enrol(machine(index), `node0${index + 2}`, STEPS)),
    );
    for (const [index, operation] of operations.entries()) {
      expect(operation).toMatchObject(done);
      const { name, address } = { name: operation.subject, address: machine(index).address };
      expect(await node(name)).toMatchObject({ state: 'idle', address });
      expect((await node(name)).features).toEqual(expect.arrayContaining(['rpi4', 'amd64']));
      expect(await shown(operation, 'smoke-test')).toContain(`rank 1 of 2 on ${name}, sum of ranks 1\n`);
    }
  });

  it('run MPI together', async () => {
    await machine(1).run(['rm', '/var/lib/bramble/smoke-test']);
    const operation = await boards.run('node03', STEPS);
    expect(operation).toMatchObject(done);
    const output = await shown(operation, 'smoke-test');
    for (const name of ['node02', 'node03'])
      expect(output).toMatch(new RegExp(`^rank \\d of 4 on ${name}, sum of ranks 6$`, 'm'));
    for (const index of [0, 1])
      expect((await machine(index).run(['ls', '/var/tmp'])).stdout).not.toContain('smoke-test');
  });

  it('whose MPI does not work are not taken for right', async () => {
    const broken =
      'rm /var/lib/bramble/smoke-test; printf "#!/bin/sh\\necho no MPI today; exit 7\\n" > "$1"; chmod 755 "$1"';
    await machine(1).run(['sh', '-c', broken, 'sh', '/usr/local/bin/mpirun']);
    const failed = await boards.run('node03', STEPS);
    expect(failed).toMatchObject({ state: 'failed', reason: { code: 'smoke-test' } });
    expect(failed.reason?.message).toMatch(
      /^The test job \d+ on node03 failed: 0 of 2 ranks have answered \(Slurm: FAILED, exit code 7, [^)]+\)[^]*no MPI today$/,
    );
    await machine(1).run(['rm', '/usr/local/bin/mpirun']);
    expect(applied(await boards.run('node03', STEPS))).toEqual(['smoke-test']);
  });

  it('are left alone the second time', async () => {
    const before = await jobs();
    expect(states(await boards.run('node02', STEPS)).filter((state) => !state.endsWith('unchanged'))).toEqual(
      [],
    );
    expect(await jobs()).toBe(before);
  });

  it('have the directories of storage boards, and do not wait for them', async () => {
    const server = machine(2);
    const offer =
      'mkdir -p /srv/data /var/lib/nfs; echo shared > /srv/data/file; ' +
      'printf "/srv/data\\t%s(rw,sync)\\n" "$1" > /var/lib/nfs/etab; systemctl start nfs-server';
    await server.run(['sh', '-c', offer, 'sh', lab.subnet]);
    const partitions = [{ label: 'data', sizeMebibytes: null, mountedAt: '/data' }];
    const storage = { disk: null, wipe: null, packageCache: false, partitions };
    expect(await boards.enrol(server, 'store', [], { roles: ['storage'], storage })).toMatchObject(done);

    const operation = await boards.run('node03', STEPS);
    expect(operation).toMatchObject(done);
    expect(applied(operation)).toEqual(['hosts', 'mounts']);
    expect(await machine(1).readFile('/data/file')).toBe('shared\n');
    await server.run(['systemctl', 'stop', 'nfs-server']);
    await machine(1).reboot();
    expect((await machine(1).run(['findmnt', '--noheadings', '--output', 'FSTYPE', '/data'])).stdout).toBe(
      'autofs\n',
    );
    await server.run(['systemctl', 'start', 'nfs-server']);
    expect(await machine(1).readFile('/data/file')).toBe('shared\n');
  });

  it('come back from a restart by themselves', async () => {
    const isActive = async () => (await machine(1).run(['systemctl', 'is-active', 'slurmd'])).stdout.trim();
    await expect.poll(isActive).toBe('active');
    await expect.poll(() => node('node03')).toMatchObject({ state: 'idle', flags: ['dynamic_norm'] });
    expect(applied(await boards.run('node03', STEPS))).toEqual([]);
  });

  it('are mended', async () => {
    await machine(1).run([
      'sh',
      '-c',
      'echo other > /etc/munge/munge.key; systemctl restart munge; systemctl stop slurmd',
    ]);
    const operation = await boards.run('node03', STEPS);
    expect(operation).toMatchObject(done);
    expect(applied(operation)).toEqual(['munge', 'slurmd']);
    expect(await node('node03')).toMatchObject({ state: 'idle' });
    expect((await machine(1).run(['stat', '-c', '%a %U', '/etc/munge/munge.key'])).stdout).toBe(
      '400 munge\n',
    );
  });

  it('join anew where Slurm has them at another address, unless somebody answers there', async () => {
    const nodeAddr = (address: string) =>
      slurm.run(['scontrol', 'update', 'nodename=node03', `nodeaddr=${address}`]);
    await nodeAddr(machine(0).address);
    const refused = await boards.run('node03', STEPS);
    expect(refused.reason?.message).toContain(`Another slurmd answers at ${machine(0).address}`);
    await nodeAddr(lab.subnet.replace('.0/24', '.99'));
    const moved = await boards.run('node03', STEPS);
    expect(moved).toMatchObject(done);
    expect(applied(moved)).toEqual(['slurmd']);
    expect(await node('node03')).toMatchObject({ state: 'idle', address: machine(1).address });
  });

  it('are drained, resumed and forgotten', async () => {
    expect(await nodes.release()).toEqual(present('22.05.8'));
    expect(await nodes.drain('node03', 'a reason of words')).toEqual(present(true));
    expect(await node('node03')).toMatchObject({
      reason: 'a reason of words',
      flags: expect.arrayContaining(['drain']) as unknown,
    });
    const drained = await boards.run('node03', STEPS);
    expect(drained).toMatchObject(done);
    expect(drained.steps.find(({ name }) => name === 'slurmd')?.detail).toContain('a reason of words');
    expect(await nodes.resume('node03')).toEqual(present(true));
    expect(await node('node03')).toMatchObject({ state: 'idle' });
    for (const answer of [nodes.find('nobody'), nodes.drain('nobody', 'x'), nodes.remove('nobody')])
      expect(await answer).toEqual({ kind: 'absent' });
  });
});
