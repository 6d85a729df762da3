import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostsOf, parseRange } from '#core/nodes/discovery/ipv4-range';
import { describeMachines } from '#core/nodes/discovery/run-discovery';
import { LocalNetwork } from '#infra/boards/discovery/local-network';
import { existing } from '../../fakes/existing.ts';
import { type BoardsLab, boardsDown, boardsUp } from '../../lab/boards/boards-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-discovery`;
let lab: BoardsLab;
const machine = (index: number) => existing(lab.boards[index]);

beforeAll(async () => {
  lab = await boardsUp({ dir: DIRECTORY, boards: 3 });
});
afterAll(() => boardsDown(DIRECTORY));

describe('a discovery', () => {
  it('finds boards with and without sshd, none that is gone, and not the worker itself', async () => {
    const [first, deaf, gone] = [machine(0), machine(1), machine(2)];
    // It answers who asks for its address, and nothing else.
    await deaf.run(['systemctl', 'stop', 'ssh']);
    await deaf.run(['sh', '-c', 'ip rule add from all lookup 99; ip route add blackhole default table 99']);
    await gone.cutNetwork();
    // The kernel believes for up to 45 s that who answered is still there.
    await promisify(execFile)('ip', ['neighbour', 'flush', 'to', gone.address]);
    const seen = await new LocalNetwork().scan(hostsOf(existing(parseRange(lab.subnet))));
    expect(seen).toEqual([
      {
        address: first.address,
        mac: first.mac,
        sshBanner: expect.stringMatching(/^SSH-2\.0-OpenSSH/) as string,
        hostKeySha256: first.hostKeyFingerprint,
      },
      { address: deaf.address, mac: deaf.mac, sshBanner: null, hostKeySha256: null },
    ]);
    const { address, hostKeyFingerprint: hostKeySha256 } = first;
    const described = describeMachines(seen, [{ name: 'node02', address, hostKeySha256 }]);
    expect(described.map(({ vendor, enrolledAs }) => [vendor, enrolledAs])).toEqual([
      ['Raspberry Pi', 'node02'],
      ['Raspberry Pi', null],
    ]);
  });

  it('signs in nowhere', async () => {
    const journal = await machine(0).run(['journalctl', '--unit=ssh', '--no-pager']);
    expect(journal.stdout).not.toMatch(/Accepted|Failed|Invalid user/);
  });
});
