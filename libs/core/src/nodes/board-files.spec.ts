import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localBoard } from '../../../../test/fakes/local-board.ts';
import { readBoardFile, writeBoardFile } from './board-files.ts';
import { StepProblem } from './board-step.ts';

const board = localBoard();
let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bramble-board-files-'));
  path = join(directory, "a file's $(name)");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a file of a board', () => {
  it.each(['', 'one line\n', 'no end of line', '"quotes\' $HOME `id` \\n ä 🍓\n\n', '-n\n'])(
    'is read as it was written: %j',
    async (content) => {
      await writeBoardFile(board, path, content);
      await expect(readBoardFile(board, path)).resolves.toBe(content);
      await expect(readFile(path, 'utf8')).resolves.toBe(content);
    },
  );

  it('that is not there is undefined', async () => {
    await expect(readBoardFile(board, path)).resolves.toBeUndefined();
  });

  it('has its mode from the beginning, and leaves nothing beside it', async () => {
    await writeFile(path, 'old', { mode: 0o644 });
    await writeBoardFile(board, path, 'secret', '0600');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toHaveLength(1);
  });

  it('takes the place of a symlink, and leaves alone what that pointed to', async () => {
    const target = join(directory, 'target');
    await writeFile(target, 'mine');
    await symlink(target, path);
    await writeBoardFile(board, path, 'new');
    await expect(readFile(target, 'utf8')).resolves.toBe('mine');
    await expect(readFile(path, 'utf8')).resolves.toBe('new');
  });

  it('that cannot be written stays as it was, and says why', async () => {
    await mkdir(path);
    await expect(writeBoardFile(board, path, 'new')).rejects.toThrow(StepProblem);
    expect(await readdir(directory)).toHaveLength(1);
  });

  it('that cannot be read says why', async () => {
    await mkdir(path);
    await chmod(path, 0o000);
    await expect(readBoardFile(board, path)).rejects.toThrow('cannot be read');
  });
});
