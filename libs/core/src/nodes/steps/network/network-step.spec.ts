import { describe, expect, it } from 'vitest';
import { present } from '../../../vocabulary/answer.ts';
import type { BoardNetwork } from '../../board.ts';
import type { StepContext } from '../../board-step.ts';
import { networkStep } from './network-step.ts';

const NETWORK: BoardNetwork = { address: '10.0.0.5', prefixLength: 24, gateway: '10.0.0.1', nameServers: [] };
const SEEN = `@addresses
 2: eth0    inet 10.0.0.77/24 brd 10.0.0.255 scope global dynamic eth0\\       valid_lft 43180sec

@interface
 eth0

@kind
 ethernets

@dhcpcd
 yes

`;

function checked(network: BoardNetwork | null, { seen = SEEN, others = {}, cpusAllocated = 0 } = {}) {
  const board = { id: 'brd_1', name: 'node01', address: '10.0.0.77', network };
  const nodes = { find: () => Promise.resolve(present({ cpusAllocated })) };
  const boards = [board, { id: 'brd_2', name: 'node02', address: '10.0.0.6', network: null, ...others }];
  const context = { board, boards, site: { slurm: {} }, slurm: { nodes } } as unknown as StepContext;
  return Promise.resolve().then(() => networkStep.check(seen, context));
}

describe('the network of a board', () => {
  it('is left as it is, unless it is to have an address', async () => {
    expect(await checked(null, { seen: '' })).toEqual({ kind: 'right', detail: 'left as it is' });
    expect(await checked(NETWORK)).toEqual({
      kind: 'differs',
      detail:
        'eth0 has 10.0.0.77/24 by DHCP, not 10.0.0.5/24; its gateway is none, not 10.0.0.1; ' +
        '/etc/dhcpcd.conf does not say so; the board is known by 10.0.0.77',
    });
  });

  it('is not touched for an address that cannot be, or that another board has or is to have', async () => {
    await expect(checked({ ...NETWORK, gateway: '10.0.1.1' })).rejects.toThrow('Nothing was changed');
    for (const others of [{ address: '10.0.0.5' }, { network: NETWORK }])
      await expect(checked(NETWORK, { others })).rejects.toThrow('10.0.0.5 is the address of "node02".');
    await expect(checked(NETWORK, { seen: `${SEEN}@taken\n answers a ping\n` })).rejects.toThrow(
      'Another machine has the address 10.0.0.5: it answers a ping.',
    );
  });

  it('is not changed while jobs run', async () => {
    await expect(checked(NETWORK, { cpusAllocated: 4 })).rejects.toThrow('Jobs run on "node01"');
    const moved = SEEN.replaceAll('10.0.0.77/24', '10.0.0.5/24');
    expect(await checked(NETWORK, { cpusAllocated: 4, seen: moved })).toMatchObject({ kind: 'differs' });
  });
});
