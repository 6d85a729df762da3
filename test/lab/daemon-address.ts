import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';

/**
 * Slurm's daemons can only be told to bind to "the address of this machine's name". On a Debian machine that is a
 * loopback address, and nothing is reachable from outside. Where the name stands for an address on the network, they
 * listen on all addresses; requests without the lab's munge key are refused all the same.
 */
export async function daemonAddress(): Promise<{ address: string; loopbackOnly: boolean }> {
  try {
    const { address } = await lookup(hostname(), { family: 4 });
    if (address.startsWith('127.')) return { address, loopbackOnly: true };
  } catch {
    return { address: '127.0.0.1', loopbackOnly: false };
  }
  return { address: '127.0.0.1', loopbackOnly: false };
}
