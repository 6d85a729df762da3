import { expect, it } from 'vitest';
import { MemoryBoardStore } from '../../../../test/fakes/memory-board-store.ts';
import { enrolledBoard } from '../../../../test/fakes/operation-runs.ts';
import { resealSecrets } from './reseal-secrets.ts';
import { openSignIn, openSudoPassword, sealSignIn, sudoPurpose } from './sealed-sign-in.ts';
import type { SecretBox } from './secret-box.ts';

/** Seals with the first of its keys, and opens with all of them. */
const box = (...keys: string[]): SecretBox => ({
  seal: (secret, purpose) => `${keys[0]}|${purpose}|${secret}`,
  open: (sealed, purpose) => {
    const key = keys.find((one) => sealed.startsWith(`${one}|${purpose}|`));
    if (key === undefined) throw new Error('none of the keys has sealed it');
    return sealed.slice(`${key}|${purpose}|`.length);
  },
  isStale: (sealed) => !sealed.startsWith(`${keys[0]}|`),
});

it('seals what an older key has sealed, and leaves the rest alone', async () => {
  const store = new MemoryBoardStore();
  const old = box('old');
  const secret = { password: 'raspberry' };
  const boards = [
    enrolledBoard({ sealedSignIn: sealSignIn('brd_1', { secret, sudoPassword: null }, old) }),
    enrolledBoard({
      ...{ id: 'brd_2', name: 'node03', address: '10.0.0.4' },
      sealedSudoPassword: old.seal('sudo', sudoPurpose('brd_2')),
    }),
    enrolledBoard({ id: 'brd_3', name: 'node04', address: '10.0.0.5' }),
  ];
  for (const board of boards) {
    const operation = { kind: 'enrol' as const, steps: [], createdAt: board.createdAt };
    const parameters = { reason: null, force: false };
    await store.insert(board, {
      ...operation,
      id: `op_${board.id}`,
      node: board.name,
      boardId: board.id,
      parameters,
    });
  }
  expect(await resealSecrets(store, box('new', 'old'))).toBe(2);
  const [first, second, third] = await store.list();
  if (first === undefined || second === undefined) throw new Error('boards are missing');
  expect(openSignIn(first, box('new')).secret).toEqual(secret);
  expect(openSudoPassword(second, box('new'))).toBe('sudo');
  expect(third?.version).toBe(1);
  expect(await resealSecrets(store, box('new', 'old'))).toBe(0);
});
