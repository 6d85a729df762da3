import type { FoundMachine } from './discovery.ts';

/** What can be seen of a machine without signing in to it. */
export type SeenMachine = Pick<FoundMachine, 'address' | 'mac' | 'sshBanner' | 'hostKeySha256'>;

/** Looks who is in the network of the worker. */
export interface NetworkScanner {
  /**
   * Asks each address, and signs in nowhere. A machine counts as seen where it answers on port 22, be it by refusing, or
   * where it answers for its address in the local network.
   * @returns those that are there, without the worker itself
   */
  scan(addresses: readonly string[]): Promise<SeenMachine[]>;
}
