import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { runHelm } from './run-helm.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'bramble-run-helm-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** A shell script in the place of Helm. */
function program(name: string, script: string): string {
  const file = join(scratch, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

const options = (path: string) => ({
  program: path,
  access: { kind: 'kubeconfig' as const, file: '/etc/kubeconfig' },
});
const run = (
  path: string,
  command: { argv?: string[]; input?: string } = {},
  limits: { timeoutMs?: number; signal?: AbortSignal } = {},
) => runHelm(options(path), { argv: [], ...command }, { timeoutMs: 20_000, ...limits });

/** Nobody may have asked yet how an orphan has ended. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function pidIn(file: string): Promise<number> {
  await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n')).toBe(true);
  return Number(readFileSync(file, 'utf8'));
}

describe('one run of Helm', () => {
  it('has directories of its own, the kubeconfig, and nothing else of this process', async () => {
    vi.stubEnv('HELM_DRIVER', 'sql');
    vi.stubEnv('BRAMBLE_SECRET', 'x');
    const end = await run(program('env', 'env; echo "$@" >&2; exit 3'), { argv: ['a b', '--c'] });
    if (end.kind !== 'exited') throw new Error(end.because);
    expect(end).toMatchObject({ code: 3, stderr: 'a b --c\n' });
    const names = end.stdout.split('\n').map((line) => line.split('=')[0]);
    expect(names).toEqual(
      expect.arrayContaining(['HOME', 'KUBECONFIG', 'HELM_CACHE_HOME', 'HELM_DATA_HOME']),
    );
    expect(names).not.toContain('HELM_DRIVER');
    expect(names).not.toContain('BRAMBLE_SECRET');
    const home = /^HOME=(.*)$/m.exec(end.stdout)?.[1] ?? '';
    expect(home).toMatch(/bramble-helm-/);
    expect(existsSync(home)).toBe(false);
  });

  it('takes its values from a file that has no name, whole', async () => {
    const input = 'ä'.repeat(300_000);
    const end = await run(program('cat', 'ls "$HOME" >&2; cat'), { input });
    expect(end).toEqual({ kind: 'exited', code: 0, stdout: input, stderr: '' });
  });

  it('tells which setting has to name the program where there is none', async () => {
    for (const missing of ['/nonexistent/helm', 'bramble-no-such-helm'])
      expect(await run(missing)).toEqual({
        kind: 'not_started',
        because: expect.stringMatching(
          /no program .*helm\. Install Helm 4, and give its path in BRAMBLE_HELM/,
        ),
      });
  });

  it('may end in order when it is cancelled or out of time', async () => {
    const path = program('patient', 'trap "kill \\$!; exit 1" TERM; sleep 60 & echo up > "$1"; wait');
    const up = join(scratch, 'up');
    const cancelled = new AbortController();
    const ended = run(path, { argv: [up] }, { signal: cancelled.signal });
    await expect.poll(() => existsSync(up)).toBe(true);
    cancelled.abort();
    expect(await ended).toEqual({ kind: 'ended', because: 'it was cancelled' });
    expect(await run(path, { argv: [up] }, { timeoutMs: 300 })).toEqual({
      kind: 'ended',
      because: 'it took longer than 0.3 s',
    });
    const before = AbortSignal.abort();
    expect(await run('/nonexistent', {}, { signal: before })).toMatchObject({ kind: 'ended' });
  });

  it('is killed 10 s later, with what it has started', async () => {
    const file = join(scratch, 'deaf-pid');
    const path = program('deaf', 'trap "" TERM; sleep 60 & echo $! > "$1"; wait; wait');
    const cancelled = new AbortController();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ended = run(path, { argv: [file] }, { signal: cancelled.signal });
    await vi.waitFor(() => expect(existsSync(file) && readFileSync(file, 'utf8')).toMatch(/\n$/));
    const child = Number(readFileSync(file, 'utf8'));
    cancelled.abort();
    vi.advanceTimersByTime(9_900);
    expect(isAlive(child)).toBe(true);
    vi.advanceTimersByTime(200);
    vi.useRealTimers();
    expect(await ended).toMatchObject({ kind: 'ended' });
    await expect.poll(() => isAlive(child), { timeout: 4_000 }).toBe(false);
  });

  it('says that something else has ended it', async () => {
    expect(await run(program('shot', 'kill -KILL $$'))).toEqual({
      kind: 'ended',
      because: 'SIGKILL has ended it',
    });
  });

  it.runIf(existsSync('/usr/bin/setpriv'))(
    'ends when the process that has started it is killed',
    { timeout: 30_000 },
    async () => {
      const file = join(scratch, 'orphan-pid');
      const path = program('orphan', 'echo $$ > "$1"; exec sleep 60');
      const source = `import { runHelm } from ${JSON.stringify(join(import.meta.dirname, 'run-helm.ts'))};
await runHelm(${JSON.stringify(options(path))}, { argv: [${JSON.stringify(file)}] }, { timeoutMs: 60_000 });`;
      const parent = spawn(process.execPath, ['--input-type=module', '--eval', source], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, TMPDIR: scratch },
      });
      const orphan = await pidIn(file);
      expect(isAlive(orphan)).toBe(true);
      parent.kill('SIGKILL');
      await expect.poll(() => isAlive(orphan), { timeout: 10_000 }).toBe(false);
    },
  );
});
