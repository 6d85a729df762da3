import { describe, expect, it } from 'vitest';
import { localBoard } from '../../../../test/fakes/local-board.ts';
import { ScriptedBoard } from '../../../../test/fakes/scripted-board.ts';
import { probeBoard } from './probe-board.ts';

describe('probes', () => {
  const text = (script: string, ...args: string[]) => ({ script, args });

  it('are answered in their order, each with what it wrote', async () => {
    const seen = await probeBoard(localBoard(), [
      text('echo one; echo two'),
      text('printf "%s|" "$@"', 'a b', "it's", '$(id)', ''),
      text('true'),
      text('echo 7'),
    ]);
    expect(seen).toEqual(
      ['one\ntwo\n', "a b|it's|$(id)||", '', '7\n'].map((written) => ({ kind: 'seen', text: written })),
    );
  });

  it('that fail leave the others alone', async () => {
    const [failed, fine] = await probeBoard(localBoard(), [text('echo no >&2; exit 3'), text('echo yes')]);
    expect(failed).toMatchObject({
      kind: 'failed',
      problem: { message: 'The board cannot tell: exit code 3: no' },
    });
    expect(fine).toEqual({ kind: 'seen', text: 'yes\n' });
  });

  it('neither read what comes after them, nor end the others', async () => {
    const seen = await probeBoard(localBoard(), [
      text('cat'),
      text('exec sh -c "kill -9 $$"'),
      text('echo on'),
    ]);
    expect(seen.map(({ kind }) => kind)).toEqual(['seen', 'failed', 'seen']);
  });

  it('cost one command, and none where there is nothing to ask', async () => {
    const machine = new ScriptedBoard();
    const target = { address: '10.0.0.3', port: 22, hostKeySha256: null };
    const signIn = { user: 'pi', secret: { password: 'raspberry' }, sudoPassword: null };
    const outcome = await machine.connect({ ...target, signIn });
    if (outcome.kind !== 'connected') throw new Error('not connected');
    await probeBoard(outcome.connection, []);
    expect(machine.commands).toEqual([]);
    await probeBoard(outcome.connection, [text('true'), text('true')]);
    expect(machine.commands).toHaveLength(1);
  });
});
