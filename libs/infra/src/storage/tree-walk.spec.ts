import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfinedDirectory } from './confined-directory.ts';
import { allOf, openDescriptors, TemporaryDirectory } from './temporary-storage.ts';
import { TreeWalk } from './tree-walk.ts';

const temporary = new TemporaryDirectory();
afterAll(() => temporary.remove());

describe('TreeWalk', () => {
  it('looks at no more entries than it may, and says so', async () => {
    const base = temporary.newDirectory();
    for (const name of ['a', 'b', 'c']) {
      mkdirSync(join(base, name));
      writeFileSync(join(base, name, 'file'), '');
    }
    const visited = async (maximumEntries: number): Promise<[number, boolean]> => {
      const walk = new TreeWalk(Infinity, maximumEntries);
      const entries = await ConfinedDirectory.within(base, [], (start) => allOf(walk.visit(start, '')));
      return [entries.length, walk.incomplete];
    };
    await expect(visited(6)).resolves.toEqual([6, false]);
    await expect(visited(5)).resolves.toEqual([5, true]);
    await expect(visited(2)).resolves.toEqual([2, true]);
  });

  it('closes what it has opened where it is left early', async () => {
    const base = temporary.newDirectory();
    mkdirSync(join(base, 'a/b/c'), { recursive: true });
    const before = openDescriptors();
    await ConfinedDirectory.within(base, [], async (start) => {
      for await (const { path } of new TreeWalk(Infinity).visit(start, '')) if (path === 'a/b/c') return;
    });
    expect(openDescriptors()).toBe(before);
  });
});
