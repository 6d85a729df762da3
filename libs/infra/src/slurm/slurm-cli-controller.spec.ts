import { describe, expect, it } from 'vitest';
import type { CommandOptions, CommandResult, CommandTransport } from './command-transport.ts';
import { SlurmCliController } from './slurm-cli-controller.ts';
import { SlurmUnavailable } from './slurm-unavailable.ts';

type Run = [argv: readonly string[], options: CommandOptions];

/** Answers every command with the same, and remembers what was run. */
class ScriptedTransport implements CommandTransport {
  readonly startsWithinMs = 1_000;
  readonly runs: Run[] = [];
  readonly #answer: (argv: readonly string[]) => CommandResult;

  constructor(answer: (argv: readonly string[]) => CommandResult) {
    this.#answer = answer;
  }

  async run(argv: readonly [string, ...string[]], options: CommandOptions): Promise<CommandResult> {
    this.runs.push([argv, options]);
    return this.#answer(argv);
  }
}

const exited = (code: number, stdout = '', stderr = ''): CommandResult => ({
  kind: 'exited',
  code,
  stdout,
  stderr,
});
const alice = { name: 'alice', uid: 1001, gid: 1001, home: '/home/alice' };

describe('SlurmCliController', () => {
  it('runs sbatch as the account, with a bounded life, and without the time format that jobs would inherit', async () => {
    const transport = new ScriptedTransport(() => exited(0, '42\n'));
    const slurm = new SlurmCliController({
      transport,
      cluster: 'pi',
      binDir: '/opt/slurm/bin',
      slurmConf: '/etc/slurm.conf',
    });
    expect(await slurm.submit({ script: '#!/bin/sh\n', account: alice })).toEqual({
      kind: 'submitted',
      slurmJobId: 42,
      cluster: null,
    });
    expect(transport.runs).toEqual([
      [
        ['timeout', '-k', '2', '20', '/opt/slurm/bin/sbatch', '--parsable', '--propagate=NONE'],
        { input: '#!/bin/sh\n', account: alice, timeoutMs: 25_000, env: { SLURM_CONF: '/etc/slurm.conf' } },
      ],
    ]);
  });

  it('is certain when the transport, sbatch and slurmctld must all be through', () => {
    const transport = new ScriptedTransport(() => exited(0));
    expect(new SlurmCliController({ transport, cluster: 'pi' }).submitCertaintyMs).toBe(
      1_000 + 20_000 + 2_000 + 10_000 + 3_000,
    );
    const slow = new SlurmCliController({
      transport,
      cluster: 'pi',
      submitTimeoutMs: 60_000,
      messageTimeoutMs: 30_000,
    });
    expect(slow.submitCertaintyMs).toBe(1_000 + 60_000 + 2_000 + 30_000 + 3_000);
  });

  it('never submits as root', async () => {
    const transport = new ScriptedTransport(() => exited(0, '42\n'));
    const slurm = new SlurmCliController({ transport, cluster: 'pi' });
    expect(await slurm.submit({ script: '', account: { ...alice, name: 'root', uid: 0 } })).toMatchObject({
      kind: 'refused',
    });
    expect(transport.runs).toEqual([]);
  });

  it('lists with a single squeue, whose mark nobody can know', async () => {
    const transport = new ScriptedTransport(() => exited(0));
    const slurm = new SlurmCliController({ transport, cluster: 'pi' });
    expect(await slurm.list()).toEqual({ kind: 'present', value: [] });
    await slurm.list();
    const marks = transport.runs.map(([argv]) => argv.at(-1)?.split('\x1f')[0]);
    expect(new Set(marks).size).toBe(2);
  });

  it.each([
    ['fails', exited(1, '', 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n')],
    ['says something else', exited(0, 'Welcome!\n')],
    ['was cut off', { kind: 'flooded', limitBytes: 1, stdout: '', stderr: '' } as const],
  ])('says unknown where squeue %s', async (_, answer) => {
    const slurm = new SlurmCliController({ transport: new ScriptedTransport(() => answer), cluster: 'pi' });
    expect(await slurm.list()).toMatchObject({ kind: 'unknown' });
  });

  it('remembers an account that is there, and asks again for one that is not', async () => {
    const transport = new ScriptedTransport((argv) =>
      argv.at(-1) === 'alice' ? exited(0, 'alice:x:1001:1001::/home/alice:/bin/sh\n') : exited(2),
    );
    const slurm = new SlurmCliController({ transport, cluster: 'pi' });
    const answers = await Promise.all([slurm.account('alice'), slurm.account('alice'), slurm.account('bob')]);
    expect(answers).toEqual([
      { kind: 'present', value: alice },
      { kind: 'present', value: alice },
      { kind: 'absent' },
    ]);
    await slurm.account('alice');
    await slurm.account('bob');
    expect(transport.runs.map(([argv]) => argv.at(-1))).toEqual(['alice', 'bob', 'bob']);
  });

  it('counts commands', async () => {
    const seen: [string, boolean][] = [];
    const transport = new ScriptedTransport(([program]) => exited(program === 'squeue' ? 0 : 1));
    const slurm = new SlurmCliController({
      transport,
      cluster: 'pi',
      onRpc: (command, _, ok) => seen.push([command, ok]),
    });
    await slurm.list();
    await slurm.show(1);
    await slurm.submit({ script: '', account: alice });
    expect(seen).toEqual([
      ['squeue', true],
      ['scontrol', false],
      ['sbatch', false],
    ]);
  });

  it('learns from Slurm what it is called and how patient it is', async () => {
    const config =
      'ClusterName             = pi\nMessageTimeout          = 30 sec\nMinJobAge               = 300 sec\nSLURM_VERSION           = 22.05.8\n';
    const { controller, config: read } = await SlurmCliController.connect({
      transport: new ScriptedTransport(() => exited(0, config)),
    });
    expect(controller.cluster).toBe('pi');
    expect(controller.submitCertaintyMs).toBe(1_000 + 60_000 + 2_000 + 30_000 + 3_000);
    expect(read.minJobAgeMs).toBe(300_000);
  });

  it.each([
    [
      'could not be read',
      exited(1, '', 'slurm_load_ctl_conf error: Unable to contact slurm controller (connect failure)\n'),
    ],
    [
      'could not be read',
      exited(0, '', 'slurm_load_ctl_conf error: Socket timed out on send/recv operation\n'),
    ],
    ['was not understood', exited(0, 'ClusterName = pi\n')],
  ])('says clearly that the configuration %s', async (text, answer) => {
    const connecting = SlurmCliController.connect({ transport: new ScriptedTransport(() => answer) });
    await expect(connecting).rejects.toThrow(SlurmUnavailable);
    await expect(connecting).rejects.toThrow(text);
  });
});
