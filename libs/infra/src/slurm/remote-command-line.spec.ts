import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { remoteCommandLine } from './remote-command-line.ts';

const alice = { name: 'alice', uid: 1001, gid: 1002, home: '/home/alice' };
const sh = (line: string, input = '') => spawnSync('sh', ['-c', line], { input, encoding: 'utf8' });

describe('remoteCommandLine', () => {
  it('cleans the environment and quotes everything', () => {
    expect(
      remoteCommandLine({
        argv: ['squeue', '--format=%A %T'],
        env: { SLURM_CONF: '/x' },
        lifeSeconds: 30,
        become: null,
      }),
    ).toBe(
      `PATH=/usr/local/bin:/usr/bin:/bin; export PATH; exec 'env' '-i' 'PATH=/usr/local/bin:/usr/bin:/bin' 'LANG=C.UTF-8' 'SLURM_CONF=/x' 'timeout' '-k' '2' '30' 'squeue' '--format=%A %T'`,
    );
  });

  it.each([
    [
      'setpriv',
      `PATH=/usr/local/bin:/usr/bin:/bin; export PATH; exec 'setpriv' '--reuid=1001' '--regid=1002' '--init-groups' '--' 'env' '-i' `,
    ],
    [
      'sudo',
      `PATH=/usr/local/bin:/usr/bin:/bin; export PATH; exec 'sudo' '-n' '-u' 'alice' '--' 'env' '-i' `,
    ],
  ] as const)('becomes an account by %s', (by, beginning) => {
    const line = remoteCommandLine({
      argv: ['sbatch'],
      env: {},
      lifeSeconds: 30,
      become: { account: alice, by },
    });
    expect(line.startsWith(beginning)).toBe(true);
  });

  it('becomes an account in a container, or is it, or is not run', () => {
    const {
      uid = 0,
      gid = 0,
      username,
    } = { uid: process.getuid?.(), gid: process.getgid?.(), username: 'me' };
    const line = (account: typeof alice) =>
      remoteCommandLine({
        argv: ['sh', '-c', 'id -u; id -g'],
        env: {},
        lifeSeconds: 30,
        become: { account, by: 'container' },
      });
    expect(sh(line({ name: username, uid, gid, home: '/' })).stdout).toBe(`${uid}\n${gid}\n`);
    // A program in place of id and setpriv: what root and what nobody would do.
    const asked = (own: number) =>
      sh(
        line(alice)
          .replace(/^PATH=\S+; export PATH; exec /, '')
          .replace("'sh' '-c' '", `'sh' '-c' 'id() { echo ${own}; }; setpriv() { echo "$@"; }; `)
          .replace('exec setpriv', 'setpriv')
          .replace('-- "$@"; fi', '-- "$@"; exit 0; fi'),
      );
    expect(asked(0).stdout).toMatch(/^--reuid=1001 --regid=1002 --init-groups -- env -i PATH=/);
    expect(asked(65_532)).toMatchObject({
      status: 125,
      stdout: '',
      stderr: 'the container runs as uid 65532 and may not become alice (uid 1001); only root may\n',
    });
  });

  it('lets every argument and variable reach the program as it is', () => {
    const nasty = [
      '',
      ' ',
      '*',
      '$HOME',
      '`id`',
      '"',
      "'",
      '\\',
      'a\nb',
      '--',
      '~',
      'é\x1f',
      '; exit 3',
      '!!',
      'A=b',
    ];
    const line = remoteCommandLine({
      argv: ['sh', '-c', 'printf "%s\\0" "$V" "$@"', 'sh', ...nasty],
      env: { V: nasty.join('') },
      lifeSeconds: 30,
      become: null,
    });
    expect(sh(line).stdout.split('\0')).toEqual([nasty.join(''), ...nasty, '']);
  });

  it.each([[['']], [['A=b']], [['-i']]] as [[string]][])('refuses the program %j', (argv) => {
    expect(() => remoteCommandLine({ argv, env: {}, lifeSeconds: 30, become: null })).toThrow(TypeError);
  });

  it('refuses a variable that is none, and a NUL', () => {
    expect(() =>
      remoteCommandLine({ argv: ['id'], env: { 'A B': '' }, lifeSeconds: 30, become: null }),
    ).toThrow(TypeError);
    expect(() => remoteCommandLine({ argv: ['id', '\0'], env: {}, lifeSeconds: 30, become: null })).toThrow(
      RangeError,
    );
  });

  describe('with input', () => {
    const line = (bytes: number) =>
      remoteCommandLine({
        argv: ['sh', '-c', 'echo started; cat'],
        env: {},
        lifeSeconds: 30,
        become: null,
        input: { bytes, withinSeconds: 1 },
      });

    it('starts the command when all of it is there', () => {
      expect(sh(line(6), 'é\n\n ')).toMatchObject({ status: 125 });
      expect(sh(line(5), 'é\n\n ')).toMatchObject({ status: 0, stdout: 'started\né\n\n ' });
      expect(sh(line(0))).toMatchObject({ status: 0, stdout: 'started\n' });
      const long = 'x'.repeat(1_000_000);
      expect(sh(line(1_000_000), long).stdout).toBe(`started\n${long}`);
    });

    it('does not start the command where the input was cut short', () => {
      expect(sh(line(100), '#!/bin/sh\nrm -rf ')).toMatchObject({
        status: 125,
        stdout: '',
        stderr: 'only 17 of 100 bytes of input arrived\n',
      });
    });

    it('does not start the command where the input does not come', () => {
      const startedAt = performance.now();
      const held = `{ printf half; sleep 1.5; } | { ${line(5).replace('exec ', '')}; echo "code $?"; }`;
      expect(sh(held).stdout).toBe('code 125\n');
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    });
  });
});
