import { PUT_OFF_MS } from '../../jobs/job-store.ts';
import type { Clock } from '../../vocabulary/clock.ts';
import type { Board } from '../board.ts';
import type { BoardStore } from '../board-store.ts';
import { type DiscoveryStore, type FoundMachine, isDiscovered } from './discovery.ts';
import { contains, hostsOf, parseRange } from './ipv4-range.ts';
import type { NetworkScanner, SeenMachine } from './network-scanner.ts';
import { vendorOf } from './vendor.ts';

export interface RunDiscoveryPorts {
  discoveries: DiscoveryStore;
  boards: Pick<BoardStore, 'list'>;
  scanner: NetworkScanner;
  clock: Clock;
  /** IPv4 subnet of the boards, in CIDR notation. Nobody outside of it is asked, whoever stored the range. */
  subnet: string;
}

/** Looks who is in a range. It may be interrupted anywhere, and is then done again. */
export class RunDiscovery {
  readonly #ports: RunDiscoveryPorts;

  constructor(ports: RunDiscoveryPorts) {
    this.#ports = ports;
  }

  async run(id: string): Promise<void> {
    const { discoveries, boards, clock } = this.#ports;
    const discovery = await discoveries.find(id);
    if (discovery === undefined || isDiscovered(discovery.state)) return;
    await discoveries.change(id, { state: 'running', startedAt: discovery.startedAt ?? clock.now() });
    const scanned = await this.#scan(discovery.range);
    const over = { endedAt: clock.now(), lookAt: null };
    if ('problem' in scanned) {
      const reason = { code: 'scan_failed', message: scanned.problem };
      await discoveries.change(id, { state: 'failed', reason, ...over });
      return;
    }
    const found = describeMachines(scanned.seen, await boards.list());
    await discoveries.change(id, { state: 'done', found, ...over });
  }

  /** Puts off when somebody else may take it. */
  async putOff(id: string): Promise<void> {
    const { discoveries, clock } = this.#ports;
    await discoveries.change(id, { lookAt: new Date(clock.now().getTime() + PUT_OFF_MS) });
  }

  async #scan(text: string): Promise<{ seen: SeenMachine[] } | { problem: string }> {
    const { scanner, subnet } = this.#ports;
    const range = parseRange(text);
    const whole = parseRange(subnet);
    if (range === undefined || whole === undefined || !contains(whole, range))
      return { problem: `${text} is not in the subnet of the boards, ${subnet}, as this worker has it.` };
    try {
      return { seen: await scanner.scan(hostsOf(range)) };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** What is said of machines that were seen: who made them, and which boards they are. */
export function describeMachines(
  seen: readonly SeenMachine[],
  boards: readonly Pick<Board, 'name' | 'address' | 'hostKeySha256'>[],
): FoundMachine[] {
  return seen.map((machine) => ({
    ...machine,
    vendor: machine.mac === null ? null : vendorOf(machine.mac),
    enrolledAs:
      (
        boards.find(({ address }) => address === machine.address) ??
        boards.find(({ hostKeySha256 }) => hostKeySha256 !== null && hostKeySha256 === machine.hostKeySha256)
      )?.name ?? null,
  }));
}
