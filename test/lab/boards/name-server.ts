import { mkdirSync } from 'node:fs';
import { writeFileAtomically } from '../atomic-file.ts';
import { daemonPid, signal, startDaemon, stopDaemon, waitUntilReady } from '../processes.ts';
import { isListening } from '../listening.ts';
import type { BoardRecord } from './board-record.ts';
import type { BoardsPaths } from './boards-directory.ts';
import { boardAddress, bridgeAddress } from './network.ts';

export const NAME_SERVER = 'dnsmasq';

/**
 * Starts what hands out addresses and answers to names, on the bridge only. A board always gets the same address. There
 * is no route to give, and every name is unknown, at once: a name server that is silent costs seconds in each sudo.
 */
export async function startNameServer(
  paths: BoardsPaths,
  subnet: string,
  boards: readonly BoardRecord[],
): Promise<void> {
  const { directory, hosts, leases } = paths.nameServer;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  writeFileAtomically(
    hosts,
    boards.map((board) => `${board.mac},${boardAddress(subnet, board)}\n`).join(''),
    0o644,
  );
  const running = daemonPid(paths.lab, NAME_SERVER);
  if (running !== undefined) {
    signal(running, 'SIGHUP');
    return;
  }
  startDaemon(paths.lab, {
    name: NAME_SERVER,
    command: '/usr/sbin/dnsmasq',
    commandArguments: [
      '--conf-file=/dev/null',
      '--keep-in-foreground',
      '--log-facility=-',
      '--pid-file=',
      `--interface=${paths.bridge}`,
      '--except-interface=lo',
      '--bind-interfaces',
      '--no-resolv',
      '--no-hosts',
      '--address=/#/',
      '--dhcp-authoritative',
      '--dhcp-ignore-names',
      '--no-ping',
      `--dhcp-range=${subnet}.200,${subnet}.250,255.255.255.0,12h`,
      `--dhcp-hostsfile=${hosts}`,
      `--dhcp-leasefile=${leases}`,
      '--dhcp-option=option:router',
    ],
  });
  await waitUntilReady(
    paths.lab,
    NAME_SERVER,
    () => isListening({ host: bridgeAddress(subnet), port: 53 }),
    10,
  );
}

export function stopNameServer(paths: BoardsPaths): Promise<void> {
  return stopDaemon(paths.lab, NAME_SERVER);
}
