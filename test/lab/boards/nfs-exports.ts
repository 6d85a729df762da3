/** A directory that an NFS server exports to one client. */
export interface NfsExport {
  path: string;
  readOnly: boolean;
  /** Whether it is to be served only while something is mounted there. */
  onlyMounted: boolean;
}

/**
 * The export by which a client may mount a directory: the one nearest to it.
 *
 * @param etab what exportfs keeps in /var/lib/nfs/etab.
 * @param client IPv4 address.
 */
export function exportFor(etab: string, directory: string, client: string): NfsExport | undefined {
  return etab
    .split('\n')
    .flatMap((line) => {
      const [, path, clients, options] = /^(\S+)\t([^(]+)\((.*)\)$/.exec(line) ?? [];
      if (path === undefined || clients === undefined || options === undefined) return [];
      if (directory !== path && !directory.startsWith(`${path}/`)) return [];
      if (!includes(clients, client)) return [];
      const words = options.split(',');
      return [{ path, readOnly: words.includes('ro'), onlyMounted: words.includes('mountpoint') }];
    })
    .sort((one, other) => other.path.length - one.path.length)[0];
}

function includes(clients: string, address: string): boolean {
  if (clients === '*') return true;
  const [network = '', bits = '32'] = clients.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(network) / size) === Math.floor(numberOf(address) / size);
}

function numberOf(address: string): number {
  return address.split('.').reduce((value, number) => value * 256 + Number(number), 0);
}
