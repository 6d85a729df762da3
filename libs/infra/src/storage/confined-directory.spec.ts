import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfinedDirectory, NotARegularFileError } from './confined-directory.ts';
import { allOf, openDescriptors, TemporaryDirectory } from './temporary-storage.ts';

const temporary = new TemporaryDirectory();
afterAll(() => temporary.remove());

const readIn = (base: string, names: readonly string[], file: string): Promise<string> =>
  ConfinedDirectory.within(base, names, async (directory) => {
    const handle = await directory.openFile(file);
    try {
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  });

describe('ConfinedDirectory', () => {
  it('reads a file some directories down', async () => {
    const base = temporary.newDirectory();
    mkdirSync(join(base, 'a/b'), { recursive: true });
    writeFileSync(join(base, 'a/b/c'), 'content');
    await expect(readIn(base, ['a', 'b'], 'c')).resolves.toBe('content');
  });

  it.each(['/etc', '..', '.', 'real', 'nowhere'])(
    'does not go through a symlink to %s, at any level',
    async (to) => {
      const base = temporary.newDirectory();
      mkdirSync(join(base, 'real/deep'), { recursive: true });
      writeFileSync(join(base, 'real/passwd'), 'own');
      symlinkSync(to, join(base, 'link'));
      symlinkSync(to, join(base, 'real/deep/link'));
      await expect(readIn(base, ['link'], 'passwd')).rejects.toMatchObject({ code: 'ENOTDIR' });
      await expect(readIn(base, ['real', 'deep', 'link'], 'passwd')).rejects.toMatchObject({
        code: 'ENOTDIR',
      });
      await expect(readIn(join(base, 'link'), [], 'passwd')).rejects.toMatchObject({ code: 'ENOTDIR' });
    },
  );

  it.each(['/etc/passwd', 'own', 'nowhere'])('does not open a symlink to %s', async (to) => {
    const base = temporary.newDirectory();
    writeFileSync(join(base, 'own'), 'own');
    symlinkSync(to, join(base, 'link'));
    await expect(readIn(base, [], 'link')).rejects.toThrow(NotARegularFileError);
  });

  it.each(['', '.', '..', '../x', 'a/b', '/etc/passwd', 'x\0', '/'])('refuses %j as a name', async (name) => {
    const base = temporary.newDirectory();
    await ConfinedDirectory.within(base, [], async (directory) => {
      await expect(directory.openFile(name)).rejects.toThrow('is not the name of a directory entry');
      await expect(directory.openDirectory(name)).rejects.toThrow('is not the name');
      await expect(directory.createFile(name)).rejects.toThrow('is not the name');
      await expect(directory.createDirectory(name)).rejects.toThrow('is not the name');
      await expect(directory.lstat(name)).rejects.toThrow('is not the name');
    });
  });

  it('takes newlines and other odd characters for what they are', async () => {
    const base = temporary.newDirectory();
    for (const name of ['new\nline', 'a\\b', '-rf', '*', 'é', '...', ' ']) {
      writeFileSync(join(base, name), name);
      await expect(readIn(base, [], name)).resolves.toBe(name);
    }
    await expect(readIn(base, [], 'x'.repeat(300))).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  });

  it('refuses directories, FIFOs, sockets and devices without waiting', async () => {
    const base = temporary.newDirectory();
    mkdirSync(join(base, 'directory'));
    execFileSync('mkfifo', [join(base, 'fifo')]);
    const server = createServer().listen(join(base, 'socket'));
    await new Promise((listening) => server.once('listening', listening));
    for (const name of ['directory', 'fifo', 'socket']) {
      await expect(readIn(base, [], name)).rejects.toThrow(NotARegularFileError);
    }
    for (const name of ['null', 'zero', 'tty']) {
      await expect(readIn(realpathSync('/dev'), [], name)).rejects.toThrow(NotARegularFileError);
    }
    server.close();
  });

  it('lists names byte by byte, with their types', async () => {
    const base = temporary.newDirectory();
    writeFileSync(Buffer.concat([Buffer.from(`${base}/`), Buffer.from([0xff, 0x41])]), '');
    mkdirSync(join(base, 'directory'));
    symlinkSync('directory', join(base, 'link'));
    execFileSync('mkfifo', [join(base, 'fifo')]);
    const entries = await ConfinedDirectory.within(base, [], (directory) => allOf(directory.entries()));
    const seen = entries.map(({ name, type }) => `${name.toString('latin1')} ${type}`).sort();
    expect(seen).toEqual(['directory directory', 'fifo other', 'link symlink', '\u00ffA file']);
  });

  it('stays with a directory that is renamed, and with what is in it', async () => {
    const base = temporary.newDirectory();
    mkdirSync(join(base, 'a'));
    writeFileSync(join(base, 'a/file'), 'right');
    await ConfinedDirectory.within(base, ['a'], async (directory) => {
      renameSync(join(base, 'a'), join(base, 'b'));
      mkdirSync(join(base, 'a'));
      writeFileSync(join(base, 'a/file'), 'wrong');
      const handle = await directory.openFile('file');
      await expect(handle.readFile('utf8')).resolves.toBe('right');
      await handle.close();
    });
  });

  it('never lets out whoever swaps a directory for a symlink meanwhile', async () => {
    const [base, outside] = [temporary.newDirectory(), temporary.newDirectory()];
    mkdirSync(join(base, 'swapped'));
    writeFileSync(join(base, 'swapped/file'), 'inside');
    writeFileSync(join(outside, 'file'), 'outside');
    writeFileSync(join(outside, 'outside-only'), '');
    symlinkSync(outside, join(base, 'link'));
    const swapper = new Worker(SWAPPER, { eval: true, workerData: base });
    try {
      const outcomes = new Map<string, number>();
      const deadline = performance.now() + 4_000;
      while (performance.now() < deadline) {
        const outcome = await readIn(base, ['swapped'], 'file').catch((error: unknown) =>
          error instanceof Error && 'code' in error ? String(error.code) : String(error),
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        const names = await Promise.all(Array.from({ length: 8 }, () => listedIn(base)));
        expect(names.flat()).not.toContain('outside-only');
        if ((outcomes.get('inside') ?? 0) >= 50 && (outcomes.get('ENOTDIR') ?? 0) >= 50) break;
      }
      expect(outcomes.keys().toArray().sort()).toEqual(expect.arrayContaining(['ENOTDIR', 'inside']));
      expect(['inside', 'ENOTDIR', 'ENOENT']).toEqual(expect.arrayContaining([...outcomes.keys()]));
    } finally {
      await swapper.terminate();
    }
  });

  it('leaves no descriptor open, whatever happens', async () => {
    const base = temporary.newDirectory();
    mkdirSync(join(base, 'a/b'), { recursive: true });
    symlinkSync('/etc', join(base, 'a/link'));
    writeFileSync(join(base, 'a/b/file'), 'x');
    const before = openDescriptors();
    for (let round = 0; round < 20; round += 1) {
      await readIn(base, ['a', 'b'], 'file');
      await readIn(base, ['a', 'link'], 'passwd').catch(() => {});
      await readIn(base, ['a', 'missing', 'x'], 'y').catch(() => {});
      await readIn(base, ['a'], 'b').catch(() => {});
      await readIn(base, ['a', '..'], 'b').catch(() => {});
      await ConfinedDirectory.within(base, ['a'], async (directory) => {
        for await (const entry of directory.entries()) if (entry.type === 'directory') break;
      });
      await ConfinedDirectory.within(base, ['a'], async () => {
        throw new Error('the user of the directory failed');
      }).catch(() => {});
    }
    expect(openDescriptors()).toBe(before);
  });

  it('makes what nobody else may use, and settles owner and mode whatever the umask', async () => {
    const base = temporary.newDirectory();
    const umask = process.umask(0o077);
    try {
      await ConfinedDirectory.within(base, [], async (directory) => {
        const made = await directory.createDirectory('made');
        await made.settle(undefined, 0o2750);
        await made.close();
        const file = await directory.createFile('file');
        expect((await directory.lstat('file')).mode & 0o7777).toBe(0o600);
        await file.writeFile('text');
        await file.close();
        expect((await directory.lstat('made')).mode & 0o7777).toBe(0o2750);
        await expect(directory.createFile('file')).rejects.toMatchObject({ code: 'EEXIST' });
      });
    } finally {
      process.umask(umask);
    }
    expect(readFileSync(join(base, 'file'), 'utf8')).toBe('text');
  });
});

async function listedIn(base: string): Promise<string[]> {
  try {
    return await ConfinedDirectory.within(base, ['swapped'], async (directory) => {
      const entries = await allOf(directory.entries());
      return entries.map(({ name }) => name.toString());
    });
  } catch {
    return [];
  }
}

const SWAPPER = `
const { renameSync } = require('node:fs');
const base = require('node:worker_threads').workerData;
for (;;) {
  renameSync(base + '/swapped', base + '/real');
  renameSync(base + '/link', base + '/swapped');
  renameSync(base + '/swapped', base + '/link');
  renameSync(base + '/real', base + '/swapped');
}
`;
