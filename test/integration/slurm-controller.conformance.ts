import { randomUUID } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SlurmInventory } from '#core/cluster/cluster';
import type { SlurmController, SlurmJob, SubmitOutcome, UnixAccount } from '#core/jobs/slurm-controller';
import { present } from '#core/vocabulary/answer';
import type { SlurmLab } from '../lab/slurm-lab.ts';

export interface ControllerUnderTest {
  lab: SlurmLab;
  controller: SlurmController;
  inventory: SlurmInventory;
  close: () => Promise<void>;
}

/** What every way to Slurm must do, on a real Slurm. */
export function slurmControllerConformance(setUp: () => Promise<ControllerUnderTest>): void {
  let lab: SlurmLab;
  let slurm: SlurmController;
  let inventory: SlurmInventory;
  let close: () => Promise<void>;
  let alice: UnixAccount;
  let bob: UnixAccount;

  beforeAll(async () => {
    ({ lab, controller: slurm, inventory, close } = await setUp());
    alice = await accountOf(slurm, lab.accounts.first);
    bob = await accountOf(slurm, lab.accounts.second);
  });
  afterEach(async () => {
    await lab.run(['scancel', `--user=${alice.name},${bob.name}`]);
    for (const { name } of [alice, bob]) await lab.run(['scancel', `--user=${name}`]);
  });
  afterAll(() => close());

  const token = () => `job_${randomUUID().replaceAll('-', '')}`;
  const directoryOf = (account: UnixAccount) => {
    const directory = join(lab.storageDir, token());
    mkdirSync(directory, { mode: 0o700 });
    chownSync(directory, account.uid, account.gid);
    return directory;
  };
  const script = (work: string, ...options: string[]) =>
    [
      '#!/bin/bash',
      '#SBATCH --output=/dev/null',
      '#SBATCH --chdir=/',
      ...options.map((option) => `#SBATCH ${option}`),
      work,
      '',
    ].join('\n');
  const submit = async (work: string, ...options: string[]) =>
    submittedId(await slurm.submit({ script: script(work, ...options), account: alice }));
  const listed = async (): Promise<SlurmJob[]> => {
    const answer = await slurm.list();
    if (answer.kind !== 'present') throw new Error(`list gave ${JSON.stringify(answer)}`);
    return answer.value;
  };
  const stateOf = async (id: number) => {
    const answer = await slurm.show(id);
    return answer.kind === 'present' ? answer.value.state : answer.kind;
  };
  const reaches = (id: number, state: string | RegExp) =>
    expect.poll(() => stateOf(id), { interval: 100 }).toMatch(state);

  describe('submit', () => {
    it('runs the script as the account, in a clean environment', async () => {
      const directory = directoryOf(bob);
      const outcome = await slurm.submit({
        account: bob,
        script: script(
          `{ id -u; id -g; id -un; pwd; } > ids; env > environment; touch done`,
          `--chdir=${directory}`,
        ),
      });
      await reaches(submittedId(outcome), 'COMPLETED');
      expect(readFileSync(join(directory, 'ids'), 'utf8')).toBe(
        `${bob.uid}\n${bob.gid}\n${bob.name}\n${directory}\n`,
      );
      const environment = readFileSync(join(directory, 'environment'), 'utf8');
      expect(environment).toContain(`\nHOME=${bob.home}\n`);
      expect(environment).toMatch(/^LANG=C\.UTF-8$/m);
      expect(environment).not.toMatch(/^(SLURM_TIME_FORMAT|LC_ALL|VITEST|NODE_\w+|npm_\w+)=/m);
    });

    it('hands over a long script to the last character', async () => {
      const directory = directoryOf(alice);
      const text = `'"$x" \`y\` \\ é ß\t`.repeat(20_000);
      const id = await submit(`cat > text <<'END'\n${text}\nEND\n`, `--chdir=${directory}`);
      await reaches(id, 'COMPLETED');
      expect(readFileSync(join(directory, 'text'), 'utf8')).toBe(`${text}\n`);
    });

    it('does not hand on limits of its own', async () => {
      const directory = directoryOf(alice);
      const id = await submit(`ulimit -n > here; cat /proc/$PPID/limits > daemon`, `--chdir=${directory}`);
      await reaches(id, 'COMPLETED');
      const limit = readFileSync(join(directory, 'here'), 'utf8').trim();
      expect(readFileSync(join(directory, 'daemon'), 'utf8')).toMatch(
        new RegExp(`^Max open files +${limit} `, 'm'),
      );
    });

    it.each([
      ['InvalidPartition', '--partition=nosuch'],
      ['InvalidNodeCount', '--nodes=5'],
      ['InvalidMemory', '--mem=900G'],
      ['InvalidFeature', '--constraint=nosuch'],
      ['InvalidTimeLimit', '--partition=short --time=10:00:00'],
      ['TooManyCpus', '--ntasks=500'],
      ['InvalidOption', '--mem=plenty'],
    ])('is refused with %s for %s', async (code, option) => {
      const outcome = await slurm.submit({ script: script('true', option), account: alice });
      expect(outcome).toMatchObject({
        kind: 'refused',
        code,
        message: expect.stringMatching(/\(Slurm: .+\)\.$/) as string,
      });
    });

    it('never runs a job as root', async () => {
      const root = await accountOf(slurm, 'root');
      expect(await slurm.submit({ script: script('true'), account: root })).toMatchObject({
        kind: 'refused',
        code: 'AccountRefused',
      });
    });

    it('takes many at once, each once', async () => {
      const tokens = Array.from({ length: 24 }, token);
      const ids = await Promise.all(
        tokens.map((comment) => submit('true', '--begin=now+1hour', `--comment=${comment}`)),
      );
      expect(new Set(ids).size).toBe(tokens.length);
      const jobs = await listed();
      for (const [index, comment] of tokens.entries()) {
        expect(jobs.filter((job) => job.comment === comment).map(({ id }) => id)).toEqual([ids[index]]);
      }
    });
  });

  describe('list', () => {
    it('shows a job with its comment, its account and the time of its submission', async () => {
      const comment = token();
      const before = Math.floor(Date.now() / 1000) * 1000;
      const id = await submit('sleep 60', `--comment=${comment}`, '--nodes=2');
      await reaches(id, 'RUNNING');
      const job = (await listed()).find((candidate) => candidate.comment === comment);
      expect(job).toMatchObject({
        id,
        state: 'RUNNING',
        userId: alice.uid,
        nodeList: expect.stringMatching(/^node\[/) as string,
        endTime: null,
      });
      expect(job?.submitTime.getTime()).toBeGreaterThanOrEqual(before);
      expect(job?.submitTime.getTime()).toBeLessThan(Date.now() + 1_000);
      expect(job?.startTime?.getTime()).toBeGreaterThanOrEqual(job?.submitTime.getTime() ?? Infinity);
    });

    it('tells why a job waits, and no start or end that is only expected', async () => {
      const id = await submit('true', '--begin=now+1hour');
      await expect
        .poll(async () => (await listed()).find((job) => job.id === id))
        .toMatchObject({
          state: 'PENDING',
          reason: 'BeginTime',
          startTime: null,
          endTime: null,
          nodeList: '',
        });
    });

    it('still shows a job that has ended', async () => {
      const comment = token();
      const id = await submit('exit 3', `--comment=${comment}`);
      await reaches(id, 'FAILED');
      expect((await listed()).find((job) => job.comment === comment)).toMatchObject({
        id,
        state: 'FAILED',
        endTime: expect.any(Date) as Date,
      });
    });

    it('survives what other people submit', async () => {
      const comment = token();
      const id = await submit('sleep 60', `--comment=${comment}`);
      await reaches(id, 'RUNNING');
      const forged = [id, 'COMPLETED', alice.uid, 1, 1, 1, 'node02', 'None', comment].join('\x1f');
      const foreign = [
        [],
        ['--array=0-9%2', '--begin=now+1hour'],
        ['--job-name=a|b é\x1f\ty', '--comment=x|y\x1f\x1f'],
        [`--comment=harmless\n${forged}\n${forged}`, `--job-name=x\n${forged}`],
        ['--comment=', '--job-name='],
      ];
      for (const options of foreign) {
        const { exitCode } = await lab.run(['sbatch', '--output=/dev/null', ...options, '--chdir=/'], {
          user: bob.name,
          input: '#!/bin/sh\nsleep 60\n',
        });
        expect(exitCode).toBe(0);
      }
      const het = await lab.run(['sbatch', '--begin=now+1hour', '--ntasks=1', ':', '--ntasks=2'], {
        user: bob.name,
        input: '#!/bin/sh\nsleep 60\n',
      });
      expect(het.exitCode).toBe(0);
      const jobs = await listed();
      expect(jobs.filter((job) => job.comment === comment)).toMatchObject([{ id, state: 'RUNNING' }]);
      expect(jobs.filter((job) => job.id === id)).toHaveLength(1);
      expect(
        jobs.filter((job) => job.userId === bob.uid && job.state !== 'CANCELLED').length,
      ).toBeGreaterThanOrEqual(7);
      expect(new Set(jobs.map((job) => job.id)).size).toBe(jobs.length);
    });
  });

  describe('show', () => {
    it('says how a job ended', async () => {
      const comment = token();
      const id = await submit(
        'exit 3',
        `--comment=${comment}`,
        '--job-name="x JobState=PENDING ExitCode=9:9"',
      );
      await reaches(id, 'FAILED');
      expect(await slurm.show(id)).toMatchObject({
        kind: 'present',
        value: {
          id,
          state: 'FAILED',
          exitCode: 3,
          signal: 0,
          comment,
          userId: alice.uid,
          reason: 'NonZeroExitCode',
          endTime: expect.any(Date) as Date,
        },
      });
    });

    it('agrees with list', async () => {
      const id = await submit('sleep 60', `--comment=${token()}`);
      await reaches(id, 'RUNNING');
      const inList = (await listed()).find((job) => job.id === id);
      expect(await slurm.show(id)).toEqual(present({ ...inList, exitCode: 0, signal: 0 }));
    });

    it('says absent of a job that Slurm does not have', async () => {
      expect(await slurm.show(60_000_000)).toEqual({ kind: 'absent' });
    });
  });

  describe('cancel', () => {
    it('ends a waiting and a running job', async () => {
      const waiting = await submit('true', '--begin=now+1hour');
      const running = await submit('sleep 60');
      await reaches(running, 'RUNNING');
      for (const id of [waiting, running]) {
        expect(await slurm.cancel(id, alice)).toEqual(present(true));
        await reaches(id, 'CANCELLED');
      }
    });

    it('says absent of a job that Slurm does not have, and of one that has ended', async () => {
      const ended = await submit('true');
      await reaches(ended, 'COMPLETED');
      expect(await slurm.cancel(ended, alice)).toEqual({ kind: 'absent' });
      expect(await slurm.cancel(60_000_000, alice)).toEqual({ kind: 'absent' });
    });

    it('does not end the job of another account', async () => {
      const id = await submit('sleep 60');
      expect(await slurm.cancel(id, bob)).toMatchObject({
        kind: 'unknown',
        because: expect.stringContaining('permission denied') as string,
      });
      await reaches(id, /PENDING|RUNNING/);
    });
  });

  describe('account', () => {
    it('finds accounts, root among them', async () => {
      expect(await slurm.account(lab.accounts.first)).toEqual(
        present({ name: alice.name, uid: expect.any(Number) as number, gid: alice.gid, home: alice.home }),
      );
      expect(await slurm.account('root')).toMatchObject(present({ uid: 0 }));
    });

    it.each(['no-such-account', '0', '--help', 'a b', "'; id"])('says absent of "%s"', async (name) => {
      expect(await slurm.account(name)).toEqual({ kind: 'absent' });
    });
  });

  describe('the inventory', () => {
    it('shows nodes, partitions and how many jobs there are', async () => {
      const running = await submit('sleep 60');
      await submit('true', '--begin=now+1hour', '--array=1-5');
      await reaches(running, 'RUNNING');
      await lab.run(['scontrol', 'update', 'NodeName=node05', 'State=DRAIN', 'Reason=replace the SD card']);
      try {
        const snapshot = await inventory.snapshot();
        expect(snapshot).toMatchObject({
          name: lab.clusterName,
          slurmVersion: expect.stringMatching(/^\d+\.\d+/) as string,
          jobsPending: 5,
          jobsRunning: 1,
        });
        expect(snapshot.nodes.map(({ name }) => name)).toEqual(lab.nodes);
        expect(snapshot.nodes.find(({ name }) => name === 'node05')).toMatchObject({
          state: 'idle',
          flags: ['drain'],
          reason: 'replace the SD card',
        });
        expect(snapshot.nodes.reduce((total, node) => total + node.cpusAllocated, 0)).toBe(1);
        expect(snapshot.partitions.map(({ name }) => name)).toEqual(lab.partitions);
        expect(snapshot.partitions[0]).toMatchObject({
          isDefault: true,
          state: 'up',
          nodes: lab.nodes,
          nodeCount: lab.nodes.length,
        });
      } finally {
        await lab.run(['scontrol', 'update', 'NodeName=node05', 'State=RESUME']);
      }
    });
  });

  describe('while the controller is down', () => {
    it('knows nothing, and has submitted nothing', async () => {
      const comment = token();
      const id = await submit('sleep 60');
      await lab.stopController();
      try {
        const [outcome, list, show, cancel, account] = await Promise.all([
          slurm.submit({ script: script('true', `--comment=${comment}`), account: alice }),
          slurm.list(),
          slurm.show(id),
          slurm.cancel(id, alice),
          slurm.account(bob.name),
        ]);
        expect(outcome).toMatchObject({ kind: 'later', code: 'ControllerUnreachable' });
        for (const answer of [list, show, cancel]) {
          expect(answer).toMatchObject({
            kind: 'unknown',
            because: expect.stringContaining('Unable to contact slurm controller') as string,
          });
        }
        expect(account).toMatchObject({ kind: 'present' });
        await expect(inventory.snapshot()).rejects.toThrow('Unable to contact slurm controller');
      } finally {
        await lab.startController();
      }
      expect((await listed()).filter((job) => job.comment === comment)).toEqual([]);
    });
  });

  describe('while the controller hangs', () => {
    it('does not say whether it has the job, which may turn up when the controller goes on', async () => {
      const comment = token();
      lab.pauseController();
      try {
        const [outcome, list] = await Promise.all([
          slurm.submit({ script: script('sleep 60', `--comment=${comment}`), account: alice }),
          slurm.list(),
        ]);
        expect(outcome).toMatchObject({ kind: 'unclear' });
        expect(list).toMatchObject({ kind: 'unknown' });
      } finally {
        lab.continueController();
      }
      await expect.poll(async () => (await listed()).filter((job) => job.comment === comment).length).toBe(1);
    });
  });
}

function submittedId(outcome: SubmitOutcome): number {
  if (outcome.kind !== 'submitted') throw new Error(`submit gave ${JSON.stringify(outcome)}`);
  return outcome.slurmJobId;
}

async function accountOf(slurm: SlurmController, name: string): Promise<UnixAccount> {
  const answer = await slurm.account(name);
  if (answer.kind !== 'present') throw new Error(`account gave ${JSON.stringify(answer)}`);
  return answer.value;
}
