import { expect, it } from 'vitest';
import { keyedSecretBox as box } from '../../../../test/fakes/keyed-secret-box.ts';
import { MemoryBoardStore } from '../../../../test/fakes/memory-board-store.ts';
import { enrolledBoard } from '../../../../test/fakes/operation-runs.ts';
import { resealSecrets } from './reseal-secrets.ts';
import { openSignIn, openSudoPassword, sealSignIn, sudoPurpose } from './sealed-sign-in.ts';

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
      about: 'node',
      subject: board.name,
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
