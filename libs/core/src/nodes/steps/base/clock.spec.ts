import { describe, expect, it } from 'vitest';
import { exited } from '../../../../../../test/fakes/scripted-board.ts';
import type { BoardCommand, BoardConnection } from '../../board-connection.ts';
import { correctClock, measureClockSkew } from './clock.ts';

/** A board whose clock is off by a fixed time, over a connection whose round trips are given. */
function board(options: { skewMs: number; roundTrips: { thereMs: number; backMs: number }[] }) {
  let nowMs = 1_000_000_000;
  const asked: BoardCommand[] = [];
  const run: BoardConnection['run'] = async (command) => {
    const { thereMs, backMs } = options.roundTrips[asked.length] ?? { thereMs: 5, backMs: 5 };
    asked.push(command);
    nowMs += thereMs;
    const shown = nowMs + options.skewMs;
    nowMs += backMs;
    return exited(0, `${(shown / 1000).toFixed(9)}\n`);
  };
  const connection: BoardConnection = { hostKeySha256: '', run, close: () => {} };
  return { connection, now: () => new Date(nowMs), asked };
}

const QUICK = { thereMs: 5, backMs: 5 };
const STALLED = { thereMs: 10, backMs: 8_000 };

describe("a board's clock", () => {
  it('is read once where it is right', async () => {
    const right = board({ skewMs: 20, roundTrips: [] });
    expect(await measureClockSkew(right, 1)).toEqual({ seconds: 0.02, uncertaintySeconds: 0.005 });
    expect(right.asked).toHaveLength(1);
  });

  it('is read several times where it is off, as it will be moved by what was read', async () => {
    const wrong = board({ skewMs: -600_000, roundTrips: [STALLED] });
    expect(await measureClockSkew(wrong, 1)).toEqual({ seconds: -600, uncertaintySeconds: 0.005 });
  });

  it('is read again where the connection stalled, and the shortest round trip counts', async () => {
    const stalled = board({ skewMs: 20, roundTrips: [STALLED, { thereMs: 4_000, backMs: 10 }, QUICK] });
    expect(await measureClockSkew(stalled, 1)).toEqual({ seconds: 0.02, uncertaintySeconds: 0.005 });
    expect(stalled.asked).toHaveLength(3);
  });

  it('is read five times at most, and then says how little that tells', async () => {
    const slow = board({ skewMs: 0, roundTrips: Array.from({ length: 9 }, () => STALLED) });
    expect(await measureClockSkew(slow, 1)).toEqual({ seconds: -3.995, uncertaintySeconds: 4.005 });
    expect(slow.asked).toHaveLength(5);
  });

  it('is moved by the difference, so that a late command does not set a time that has passed', async () => {
    const behind = board({ skewMs: 0, roundTrips: [] });
    await correctClock(behind, { seconds: -12.3456, uncertaintySeconds: 0.01 });
    await correctClock(behind, { seconds: 3, uncertaintySeconds: 0 });
    expect(behind.asked).toEqual([
      { argv: ['date', '-u', '-s', '12.346 seconds'], root: true },
      { argv: ['date', '-u', '-s', '-3.000 seconds'], root: true },
    ]);
  });
});
