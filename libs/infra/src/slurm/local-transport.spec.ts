import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import { LocalTransport } from './local-transport.ts';

const transport = new LocalTransport();
const NASTY = [
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
  '{a,b}',
];
const echo: [string, ...string[]] = [
  'node',
  '-e',
  'console.log(JSON.stringify(process.argv.slice(1)))',
  '--',
  ...NASTY,
];
const nodeHere = { PATH: `${process.execPath.replace(/\/[^/]+$/, '')}:/usr/bin:/bin` };
const own: UnixAccount = {
  name: 'me',
  uid: process.getuid?.() ?? -1,
  gid: process.getgid?.() ?? -1,
  home: '/somewhere',
};

describe('LocalTransport', () => {
  it('hands each argument to the program as it is', async () => {
    const result = await transport.run(echo, { env: nodeHere, timeoutMs: 10_000 });
    expect(result).toMatchObject({ kind: 'exited', code: 0, stderr: '' });
    expect(JSON.parse('stdout' in result ? result.stdout : '')).toEqual(NASTY);
  });

  it('passes on nothing of its own environment', async () => {
    process.env.SBATCH_PARTITION = 'leaked';
    const result = await transport.run(['env'], {
      account: own,
      env: { SLURM_CONF: '/a b' },
      timeoutMs: 10_000,
    });
    delete process.env.SBATCH_PARTITION;
    expect('stdout' in result && result.stdout.trimEnd().split('\n').sort()).toEqual([
      'HOME=/somewhere',
      'LANG=C.UTF-8',
      'LOGNAME=me',
      'PATH=/usr/local/bin:/usr/bin:/bin',
      'SLURM_CONF=/a b',
      'USER=me',
    ]);
  });

  it('gives the whole input, however long, and an empty one otherwise', async () => {
    const input = 'é\n'.repeat(500_000);
    expect(await transport.run(['cat'], { input, timeoutMs: 10_000 })).toEqual({
      kind: 'exited',
      code: 0,
      stdout: input,
      stderr: '',
    });
    expect(await transport.run(['cat'], { input: '', timeoutMs: 10_000 })).toMatchObject({
      kind: 'exited',
      stdout: '',
    });
    expect(await transport.run(['cat'], { timeoutMs: 10_000 })).toMatchObject({ kind: 'exited', stdout: '' });
  });

  it('tells exit codes from signals', async () => {
    expect(await transport.run(['sh', '-c', 'echo a; echo b >&2; exit 7'], { timeoutMs: 10_000 })).toEqual({
      kind: 'exited',
      code: 7,
      stdout: 'a\n',
      stderr: 'b\n',
    });
    expect(await transport.run(['sh', '-c', 'kill -TERM $$'], { timeoutMs: 10_000 })).toMatchObject({
      kind: 'signalled',
      signal: 'SIGTERM',
    });
  });

  it('kills the program and its children when their time is up', async () => {
    const result = await transport.run(['sh', '-c', 'sleep 60 & echo $!; wait'], { timeoutMs: 300 });
    expect(result).toMatchObject({ kind: 'timed_out', afterMs: 300 });
    const child = Number('stdout' in result ? result.stdout : '');
    await expect.poll(() => isAlive(child)).toBe(false);
  });

  it('ends although somebody who left the group holds the output open', async () => {
    const result = await transport.run(['sh', '-c', 'setsid sleep 5 & echo done'], { timeoutMs: 10_000 });
    expect(result).toMatchObject({ kind: 'exited', code: 0, stdout: 'done\n' });
  });

  it('kills a program that writes too much', async () => {
    const result = await transport.run(['yes'], { timeoutMs: 10_000, maximumOutputBytes: 1000 });
    expect(result).toMatchObject({ kind: 'flooded', limitBytes: 1000 });
    expect('stdout' in result && result.stdout).toHaveLength(1000);
  });

  it('says unreachable where the program was not started', async () => {
    expect(await transport.run(['no-such-program'], { timeoutMs: 1000 })).toMatchObject({
      kind: 'unreachable',
      because: expect.stringContaining('ENOENT') as string,
    });
    const nowhere = new LocalTransport({ temporaryDirectory: '/nonexistent' });
    expect(await nowhere.run(['cat'], { input: 'x', timeoutMs: 1000 })).toMatchObject({
      kind: 'unreachable',
    });
  });

  it('refuses a NUL', async () => {
    await expect(transport.run(['echo', 'a\0b'], { timeoutMs: 1000 })).rejects.toThrow(TypeError);
  });
});

/** A process that was killed and that nobody has waited for yet is still in the table, as a zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
