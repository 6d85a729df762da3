import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkScanner, SeenMachine } from '#core/nodes/discovery/network-scanner';
import { ipNeighbours, type Neighbour } from './ip-neighbours.ts';
import { hostKeySighting, portSighting } from './ssh-sighting.ts';

const SSH_PORT = 22;

/** Addresses that are asked at once: a small part of what a kernel's neighbour table holds (1,024). */
const ABREAST = 128;
/** Linux asks three times, a second apart, who has an address. */
const CONNECT_WITHIN_MS = 3_000;
const HOST_KEY_WITHIN_MS = 10_000;
/** Key exchanges at once: they are work for this machine too. */
const KEY_EXCHANGES_ABREAST = 8;

/** An old entry of the neighbour table is asked again after 5 s, three times, a second apart. */
const SETTLED_WITHIN_MS = 9_000;
const LOOK_AGAIN_MS = 250;

/** The network that this machine is in. */
export class LocalNetwork implements NetworkScanner {
  readonly #neighbours: () => Promise<Neighbour[]>;

  constructor(neighbours = ipNeighbours) {
    this.#neighbours = neighbours;
  }

  async scan(addresses: readonly string[]): Promise<SeenMachine[]> {
    const own = new Set(
      Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address)),
    );
    const others = addresses.filter((address) => !own.has(address));
    const seen: SeenMachine[] = [];
    for (let from = 0; from < others.length; from += ABREAST)
      seen.push(...(await this.#scanPart(others.slice(from, from + ABREAST))));
    await addHostKeys(seen.filter(({ sshBanner }) => sshBanner !== null));
    return seen;
  }

  async #scanPart(addresses: readonly string[]): Promise<SeenMachine[]> {
    const ports = await Promise.all(
      addresses.map((address) => portSighting(address, SSH_PORT, CONNECT_WITHIN_MS)),
    );
    const silent = addresses.filter((_, index) => ports[index]?.kind === 'silent');
    const neighbours = await this.#settled(new Set(silent));
    return addresses.flatMap((address, index): SeenMachine[] => {
      const port = ports[index];
      const neighbour = neighbours.get(address);
      // What the kernel remembers of somebody silent may be long ago.
      if (port?.kind === 'silent' && neighbour?.state !== 'here') return [];
      const sshBanner = port?.kind === 'ssh' ? port.banner : null;
      return [{ address, mac: neighbour?.mac || null, sshBanner, hostKeySha256: null }];
    });
  }

  /** The neighbours, once it has been found out who of `silent` is there. */
  async #settled(silent: ReadonlySet<string>): Promise<Map<string, Neighbour>> {
    const until = performance.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const neighbours = await this.#neighbours();
      const isOpen = neighbours.some(({ address, state }) => state === 'asked' && silent.has(address));
      if (!isOpen || performance.now() > until)
        return new Map(neighbours.map((neighbour) => [neighbour.address, neighbour]));
      await sleep(LOOK_AGAIN_MS);
    }
  }
}

async function addHostKeys(machines: readonly SeenMachine[]): Promise<void> {
  const left = [...machines];
  const next = async (): Promise<void> => {
    for (let machine = left.shift(); machine !== undefined; machine = left.shift())
      machine.hostKeySha256 = await hostKeySighting(machine.address, SSH_PORT, HOST_KEY_WITHIN_MS);
  };
  await Promise.all(Array.from({ length: KEY_EXCHANGES_ABREAST }, next));
}
