import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { StorageProbe } from './storage-probe.ts';
import { TemporaryDirectory } from './temporary-storage.ts';

const temporary = new TemporaryDirectory();
afterAll(() => temporary.remove());

describe('StorageProbe', () => {
  it('finds storage that can be written to, used or not', async () => {
    const layout = temporary.newLayout();
    const probe = StorageProbe.of(layout);
    await expect(probe.probe()).resolves.toEqual({ kind: 'present', value: true });
    await layout.prepare();
    await expect(probe.probe()).resolves.toEqual({ kind: 'present', value: true });
  });

  it('does not find storage that is not there, or no directory', async () => {
    const layout = temporary.newLayout();
    rmSync(layout.root, { recursive: true });
    const probe = StorageProbe.of(layout);
    await expect(probe.probe()).resolves.toMatchObject({
      kind: 'unknown',
      because: expect.stringContaining('ENOENT') as unknown,
    });
    writeFileSync(layout.root, '');
    await expect(probe.probe()).resolves.toMatchObject({
      kind: 'unknown',
      because: expect.stringContaining('ENOTDIR') as unknown,
    });
  });

  it('answers in time where the storage does not, and asks it once only', async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const probe = new StorageProbe(async () => {
      asked += 1;
      await promise;
    }, 10);
    const away = { kind: 'unknown', because: 'the shared storage gave no answer within 10 ms' };
    await expect(Promise.all([probe.probe(), probe.probe()])).resolves.toEqual([away, away]);
    await expect(probe.probe()).resolves.toEqual(away);
    expect(asked).toBe(1);
    resolve(undefined);
    await expect(probe.probe()).resolves.toEqual({ kind: 'present', value: true });
    await expect(probe.probe()).resolves.toEqual({ kind: 'present', value: true });
    expect(asked).toBe(2);
  });
});
