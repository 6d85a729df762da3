import { describe, expect, it } from 'vitest';
import type { CommandOptions, CommandResult, CommandTransport } from './command-transport.ts';
import { SlurmCliController } from './slurm-cli-controller.ts';

type Run = [argv: readonly string[], options: CommandOptions];

const CONFIG =
  'ClusterName             = pi\nMessageTimeout          = 10 sec\nMinJobAge               = 300 sec\nSLURM_VERSION           = 22.05.8\n';

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
    const transport = new ScriptedTransport(([program]) =>
      exited(0, program === 'timeout' ? '42\n' : CONFIG),
    );
    const slurm = new SlurmCliController({
      transport,
      binDir: '/opt/slurm/bin',
      slurmConf: '/etc/slurm.conf',
    });
    await slurm.settings();
    expect(await slurm.submit({ script: '#!/bin/sh\n', account: alice })).toEqual({
      kind: 'submitted',
      slurmJobId: 42,
      cluster: null,
    });
    expect(transport.runs.slice(1)).toEqual([
      [
        ['timeout', '-k', '2', '20', '/opt/slurm/bin/sbatch', '--parsable', '--propagate=NONE'],
        { input: '#!/bin/sh\n', account: alice, timeoutMs: 25_000, env: { SLURM_CONF: '/etc/slurm.conf' } },
      ],
    ]);
  });

  it.each([
    ['20 s', {}, '10 sec', 1_000 + 20_000 + 2_000 + 10_000 + 3_000],
    ['twice MessageTimeout', {}, '30 sec', 1_000 + 60_000 + 2_000 + 30_000 + 3_000],
    ['as long as it is told', { submitTimeoutMs: 5_000 }, '30 sec', 1_000 + 5_000 + 2_000 + 30_000 + 3_000],
  ])(
    'is certain when the transport, an sbatch that lives %s, and slurmctld must all be through',
    async (_, options, messageTimeout, submitCertaintyMs) => {
      const transport = new ScriptedTransport(() => exited(0, CONFIG.replace('10 sec', messageTimeout)));
      expect(await new SlurmCliController({ transport, ...options }).settings()).toMatchObject({
        kind: 'present',
        value: { cluster: 'pi', submitCertaintyMs, forgetsAfterMs: 300_000 },
      });
    },
  );

  it('asks for the settings until Slurm answers, once at a time, and submits nothing before', async () => {
    let answer = exited(1, '', 'Unable to contact slurm controller (connect failure)\n');
    const transport = new ScriptedTransport(() => answer);
    const slurm = new SlurmCliController({ transport });
    const first = await Promise.all([slurm.settings(), slurm.settings()]);
    expect(first.map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
    expect(await slurm.submit({ script: '', account: alice })).toMatchObject({
      kind: 'later',
      code: 'ControllerUnreachable',
    });
    expect(transport.runs).toHaveLength(1);
    answer = exited(0, CONFIG);
    expect(await slurm.settings()).toMatchObject({ kind: 'present' });
    answer = exited(1);
    expect(await slurm.settings()).toMatchObject({ kind: 'present' });
    expect(transport.runs).toHaveLength(2);
  });

  it('never submits as root', async () => {
    const transport = new ScriptedTransport(() => exited(0, '42\n'));
    const slurm = new SlurmCliController({ transport });
    expect(await slurm.submit({ script: '', account: { ...alice, name: 'root', uid: 0 } })).toMatchObject({
      kind: 'refused',
    });
    expect(transport.runs).toEqual([]);
  });

  it('lists with a single squeue, whose mark nobody can know', async () => {
    const transport = new ScriptedTransport(() => exited(0));
    const slurm = new SlurmCliController({ transport });
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
    const slurm = new SlurmCliController({ transport: new ScriptedTransport(() => answer) });
    expect(await slurm.list()).toMatchObject({ kind: 'unknown' });
  });

  it('remembers an account that is there, and asks again for one that is not', async () => {
    const transport = new ScriptedTransport((argv) =>
      argv.at(-1) === 'alice' ? exited(0, 'alice:x:1001:1001::/home/alice:/bin/sh\n') : exited(2),
    );
    const slurm = new SlurmCliController({ transport });
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
    const transport = new ScriptedTransport(([program]) =>
      program === 'timeout' ? exited(1) : exited(0, CONFIG),
    );
    const slurm = new SlurmCliController({
      transport,
      onRpc: (command, _, ok) => seen.push([command, ok]),
    });
    await slurm.settings();
    await slurm.list();
    await slurm.submit({ script: '', account: alice });
    expect(seen).toEqual([
      ['scontrol', true],
      ['squeue', true],
      ['sbatch', false],
    ]);
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
    const slurm = new SlurmCliController({ transport: new ScriptedTransport(() => answer) });
    expect(await slurm.settings()).toEqual({
      kind: 'unknown',
      because: expect.stringContaining(text) as string,
    });
  });
});
