import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, truncateSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { StorageLayout } from './storage-layout.ts';
import { StoredArtifactContents } from './stored-artifact-contents.ts';
import { allOf, openDescriptors, TemporaryDirectory } from './temporary-storage.ts';

const temporary = new TemporaryDirectory();
afterAll(() => temporary.remove());

let layout: StorageLayout;
let contents: StoredArtifactContents;
beforeEach(() => {
  layout = temporary.newLayout();
  contents = new StoredArtifactContents(layout);
});

const LIMITS = { maximumBytes: 1_000_000 };
const digestOf = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const placeOf = (sha256: string): string => join(layout.contents, ...layout.contentNames(sha256));
const streamOf = (...parts: string[]): AsyncIterable<Uint8Array> =>
  Readable.from(parts.map((part) => Buffer.from(part)));

async function contentOf(sha256: string): Promise<string> {
  const file = await contents.open(sha256);
  try {
    return Buffer.concat(await allOf(file.read())).toString();
  } finally {
    await file.close();
  }
}

describe('store', () => {
  it.each([['abc'], ['a', '', 'bc'], ['']])(
    'keeps a content and gives its digest and size',
    async (...parts) => {
      const whole = parts.join('');
      const stored = await contents.store(streamOf(...parts), LIMITS);
      expect(stored).toEqual({ sha256: digestOf(whole), size: whole.length });
      await expect(contentOf(stored.sha256)).resolves.toBe(whole);
      expect(readdirSync(layout.uploads)).toEqual([]);
    },
  );

  it('keeps it where only we can read it, and nobody can write', async () => {
    const umask = process.umask(0);
    const { sha256 } = await contents.store(streamOf('x'), LIMITS);
    process.umask(umask);
    expect(lstatSync(placeOf(sha256)).mode & 0o7777).toBe(0o400);
    for (const path of [layout.contents, layout.uploads, join(layout.contents, sha256.slice(0, 2))]) {
      expect(lstatSync(path).mode & 0o7777).toBe(0o700);
    }
  });

  it('shares it with the given group', async () => {
    const groupId = process.geteuid?.() === 0 ? 54_321 : (process.getegid?.() ?? 0);
    layout = temporary.newLayout({ groupId });
    const { sha256 } = await new StoredArtifactContents(layout).store(streamOf('x'), LIMITS);
    expect(lstatSync(placeOf(sha256))).toMatchObject({ gid: groupId });
    expect(lstatSync(placeOf(sha256)).mode & 0o7777).toBe(0o440);
    expect(lstatSync(layout.uploads).mode & 0o7777).toBe(0o2770);
  });

  it('keeps the same content once, also from eight at a time', async () => {
    const [first] = await Promise.all(
      Array.from({ length: 8 }, () => contents.store(streamOf('same'), LIMITS)),
    );
    const { ino, mtimeMs } = lstatSync(placeOf(first?.sha256 ?? ''));
    await contents.store(streamOf('same'), LIMITS);
    expect(lstatSync(placeOf(first?.sha256 ?? ''))).toMatchObject({ ino, mtimeMs });
    expect(readdirSync(layout.contents, { recursive: true })).toHaveLength(2);
    expect(readdirSync(layout.uploads)).toEqual([]);
  });

  it('replaces a content that was cut short', async () => {
    const { sha256 } = await contents.store(streamOf('whole'), LIMITS);
    chmodSync(placeOf(sha256), 0o600);
    truncateSync(placeOf(sha256), 2);
    await contents.store(streamOf('whole'), LIMITS);
    expect(readFileSync(placeOf(sha256), 'utf8')).toBe('whole');
  });

  it('takes the announced digest in either case', async () => {
    const expectedSha256 = digestOf('abc').toUpperCase();
    await expect(contents.store(streamOf('abc'), { ...LIMITS, expectedSha256 })).resolves.toMatchObject({
      size: 3,
    });
  });

  it('refuses another content than announced, and says both digests', async () => {
    const expectedSha256 = digestOf('abc');
    await expect(contents.store(streamOf('abd'), { ...LIMITS, expectedSha256 })).rejects.toMatchObject({
      code: 'digest_mismatch',
      message: `The content's sha256 is ${digestOf('abd')}, not ${expectedSha256} as announced; it was not stored.`,
    });
    expectNothingStored();
  });

  it('refuses what is too large, names the limit and reads no further', async () => {
    let given = 0;
    const endless = (async function* () {
      for (;;) {
        given += 1;
        yield Buffer.alloc(100);
      }
    })();
    await expect(contents.store(endless, { maximumBytes: 1000 })).rejects.toMatchObject({
      code: 'payload_too_large',
      message: expect.stringContaining('1000 bytes') as unknown,
    });
    expect(given).toBe(11);
    await expect(contents.store(streamOf('x'.repeat(1000)), { maximumBytes: 1000 })).resolves.toMatchObject({
      size: 1000,
    });
  });

  it('leaves nothing behind of an upload that breaks off', async () => {
    const before = openDescriptors();
    const broken = new Readable({ read: () => {} });
    broken.push(Buffer.alloc(1000));
    const stored = contents.store(broken, LIMITS);
    setImmediate(() => broken.destroy(new Error('aborted')));
    await expect(stored).rejects.toThrow('aborted');
    const closed = new Readable({ read: () => {} });
    setImmediate(() => closed.destroy());
    await expect(contents.store(closed, LIMITS)).rejects.toMatchObject({
      code: 'ERR_STREAM_PREMATURE_CLOSE',
    });
    expectNothingStored();
    expect(openDescriptors()).toBe(before);
  });

  it('does not make the root', async () => {
    rmSync(layout.root, { recursive: true });
    await expect(contents.store(streamOf('x'), LIMITS)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(existsSync(layout.root)).toBe(false);
  });

  function expectNothingStored(): void {
    expect(readdirSync(layout.uploads)).toEqual([]);
    expect(readdirSync(layout.contents)).toEqual([]);
  }
});

describe('open', () => {
  it('finds nothing that was not stored', async () => {
    await contents.store(streamOf('abc'), LIMITS);
    const sibling = `${digestOf('abc').slice(0, 2)}${'0'.repeat(62)}`;
    for (const sha256 of [
      'f'.repeat(64),
      sibling,
      '../../../../etc/passwd',
      '',
      digestOf('abc').toUpperCase(),
    ]) {
      await expect(contents.open(sha256)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('does not take storage that is away for a content that is gone', async () => {
    await expect(contents.open('f'.repeat(64))).rejects.toThrow('may not be mounted');
  });
});
