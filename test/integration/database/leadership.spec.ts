import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aborted } from '../../../libs/infra/src/database/dedicated-session.ts';
import { Leadership } from '../../../libs/infra/src/database/leadership.ts';
import { freshDatabase, type FreshDatabase } from '../../lab/database/database-server.ts';
import { execute } from '../../lab/database/execute.ts';
import { PATIENTLY } from '../../patience.ts';

const PROGRAM = join(import.meta.dirname, 'programs/lead.ts');
const log = () => {};

let database: FreshDatabase;

beforeAll(async () => {
  database = await freshDatabase();
});

afterAll(async () => {
  await database.drop();
});

/** A candidate of this process that notes when it leads. */
function candidate(name: string, work?: (signal: AbortSignal) => Promise<void>) {
  const leadership = new Leadership({ url: database.url, name, log });
  const until = new AbortController();
  const run = leadership.run(work ?? aborted, until.signal);
  const leads = () => vi.waitFor(() => expect(leadership.isLeader).toBe(true), PATIENTLY);
  const stop = async () => {
    until.abort();
    await run;
  };
  return { leadership, leads, stop };
}

describe('leadership', () => {
  it('has one leader at a time, and passes on when it stops', async () => {
    const first = candidate('one');
    await first.leads();
    const second = candidate('one');
    const other = candidate('another');
    await other.leads();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(second.leadership.isLeader).toBe(false);
    await first.stop();
    expect(first.leadership.isLeader).toBe(false);
    await second.leads();
    await Promise.all([second.stop(), other.stop()]);
  });

  it('passes on when the leader is killed', async () => {
    const child = spawn(process.execPath, [PROGRAM, database.url, 'killed'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(createInterface(child.stdout), 'line');
    const heir = candidate('killed');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(heir.leadership.isLeader).toBe(false);
    child.kill('SIGKILL');
    await heir.leads();
    await heir.stop();
  });

  it('tells the work when the connection is lost, and seeks the lead again', async () => {
    const reasons: unknown[] = [];
    const leader = candidate('lost', async (signal) => {
      await aborted(signal);
      reasons.push(signal.reason);
    });
    await leader.leads();
    await execute(
      database.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bramble lost leader'`,
    );
    await vi.waitFor(() => expect(reasons).toHaveLength(1));
    await leader.leads();
    await leader.stop();
    expect(reasons).toHaveLength(2);
  });

  it('is given up and sought again where the work fails', async () => {
    let runs = 0;
    const leader = candidate('failing', async (signal) => {
      runs += 1;
      if (runs === 1) throw new Error('a fault in the work');
      await aborted(signal);
    });
    await vi.waitFor(() => expect(runs).toBe(2), PATIENTLY);
    await leader.stop();
  });
});
