import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localBoard } from '../../../../test/fakes/local-board.ts';
import { authorize, isAuthorized, withdraw } from './authorize.ts';

const LINE = 'ssh-ed25519 AAAAC3Nz bramble';
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'bramble-authorize-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const file = () => join(home, '.ssh/authorized_keys');
const run = () => authorize(localBoard({ HOME: home }), LINE);
async function before(content: string): Promise<void> {
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
  await writeFile(file(), content, { mode: 0o600 });
}

describe('authorize', () => {
  it('adds the key where there is no file, for the owner alone', async () => {
    await run();
    await expect(readFile(file(), 'utf8')).resolves.toBe(`${LINE}\n`);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await stat(join(home, '.ssh'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(home, '.ssh'))).toEqual(['authorized_keys']);
  });

  it.each([
    ['ends in a line', 'ssh-rsa BBBB admin\n'],
    ['does not end in a line', 'ssh-rsa BBBB admin'],
  ])('keeps the keys that are there, where the file %s', async (_, content) => {
    await before(content);
    await run();
    await expect(readFile(file(), 'utf8')).resolves.toBe(`ssh-rsa BBBB admin\n${LINE}\n`);
  });

  it('adds it once', async () => {
    await run();
    await run();
    await expect(readFile(file(), 'utf8')).resolves.toBe(`${LINE}\n`);
  });

  it('does not take a line for it that only contains it', async () => {
    await before(`# ${LINE}\n`);
    await run();
    await expect(readFile(file(), 'utf8')).resolves.toBe(`# ${LINE}\n${LINE}\n`);
  });
});

describe('withdraw', () => {
  const there = () => isAuthorized(localBoard({ HOME: home }), LINE);
  const withdrawn = () => withdraw(localBoard({ HOME: home }), LINE);

  it('takes that key out and leaves the others', async () => {
    await before(`ssh-rsa BBBB admin\n${LINE}\n# ${LINE}\n`);
    expect(await there()).toBe(true);
    await withdrawn();
    expect(await there()).toBe(false);
    await expect(readFile(file(), 'utf8')).resolves.toBe(`ssh-rsa BBBB admin\n# ${LINE}\n`);
    await withdrawn();
  });

  it('does for a file with no other key, and for none', async () => {
    await before(`${LINE}\n`);
    await withdrawn();
    await expect(readFile(file(), 'utf8')).resolves.toBe('');
    await rm(file());
    await withdrawn();
    expect(await there()).toBe(false);
  });
});
