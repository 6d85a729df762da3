import { expect, it } from 'vitest';
import { keyedSecretBox } from '../../../../test/fakes/keyed-secret-box.ts';
import { MemoryServiceStore } from '../../../../test/fakes/memory-service-store.ts';
import { resealServices } from './reseal-services.ts';
import { openWanted, sealWanted } from './service.ts';

const wanted = (password: string) => ({ settings: { password }, values: {} });
const revision = (operationId: string, sealedWanted: string) => ({
  ...{ operationId, sealedWanted, kind: 'install' as const, reason: null },
  ...{ at: new Date('2026-03-01T12:00:00Z'), parts: [] },
});

it('seals what an older key has sealed, of every revision, and leaves the rest alone', async () => {
  const store = new MemoryServiceStore();
  const old = keyedSecretBox('old');
  const both = keyedSecretBox('new', 'old');
  await store.ensure('dns', new Date(0));
  await store.addRevision('sftp', revision('op_1', sealWanted('sftp', wanted('first'), old)));
  await store.addRevision('sftp', revision('op_2', sealWanted('sftp', wanted('second'), old)));
  await store.addRevision('registry', revision('op_3', sealWanted('registry', wanted('third'), both)));
  expect(await resealServices(store, both)).toBe(2);
  const opened = (await store.revisions('sftp')).map(({ sealedWanted }) =>
    openWanted('sftp', sealedWanted, keyedSecretBox('new')),
  );
  expect(opened).toEqual([wanted('second'), wanted('first')]);
  expect(await resealServices(store, both)).toBe(0);
});
