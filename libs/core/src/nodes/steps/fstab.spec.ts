import { describe, expect, it } from 'vitest';
import { fstab, fstabBlock, fstabOutside, type FstabEntry } from './fstab.ts';

const TITLE = 'directories of storage boards';
const DATA: FstabEntry = {
  ...{ source: '10.0.0.2:/srv/data', at: '/data', type: 'nfs', options: ['nofail', 'hard'] },
};
const SYSTEM = 'proc /proc proc defaults 0 0\n# mine\nUUID=1 / ext4 defaults 0 1\n';
const BLOCK = [
  '# Kept by Bramble, directories of storage boards: begin',
  '10.0.0.2:/srv/data\t/data\tnfs\tnofail,hard\t0\t0',
  '# Kept by Bramble, directories of storage boards: end',
  '',
].join('\n');

describe('fstab', () => {
  it('adds a block, and leaves what is there as it is', () => {
    expect(fstab(SYSTEM, TITLE, [DATA])).toBe(`${SYSTEM}${BLOCK}`);
    expect(fstab('', TITLE, [DATA])).toBe(BLOCK);
    expect(fstab('no end of line', TITLE, [DATA])).toBe(`no end of line\n${BLOCK}`);
  });

  it('is the same the second time, keeps its place, and goes with the last entry', () => {
    const once = `${fstab(SYSTEM, TITLE, [DATA])}later /later ext4 nofail 0 2\n`;
    expect(fstab(once, TITLE, [DATA])).toBe(once);
    expect(fstab(once, TITLE, [])).toBe(`${SYSTEM}later /later ext4 nofail 0 2\n`);
    expect(fstab(SYSTEM, TITLE, [])).toBe(SYSTEM);
  });

  it('keeps blocks of another title', () => {
    const both = fstab(fstab(SYSTEM, TITLE, [DATA]), 'other', [{ ...DATA, at: '/other' }]);
    expect(fstabBlock(both, TITLE)).toEqual([DATA]);
    expect(fstabOutside(both, TITLE).map(({ at }) => at)).toEqual(['/proc', '/', '/other']);
  });

  it('loses no line to a block that was cut off', () => {
    const cut = `# Kept by Bramble, ${TITLE}: begin\nUUID=2 /mine ext4 nofail 0 2\n`;
    expect(fstab(cut, TITLE, [DATA])).toBe(`${BLOCK}UUID=2 /mine ext4 nofail 0 2\n`);
  });

  it('writes white space as fstab(5) wants it', () => {
    const odd = { ...DATA, source: 'nas:/my data\\#1', at: '/my data' };
    const text = fstab('', TITLE, [odd]);
    expect(text).toContain('nas:/my\\040data\\134\\0431\t/my\\040data\t');
    expect(fstabBlock(text, TITLE)).toEqual([odd]);
  });

  it('writes the order of file system checks', () => {
    expect(fstab('', TITLE, [{ ...DATA, check: 2 }])).toContain('\t0\t2\n');
  });
});
