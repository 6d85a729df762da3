import { execFile } from 'node:child_process';

/** What the kernel knows of a machine in the local network. */
export interface Neighbour {
  address: string;
  /** Lower case. */
  mac: string;
  /**
   * `here`: it has answered a short while ago. `asked`: whether it is there is being found out. `remembered`: it was
   * there once.
   */
  state: 'here' | 'asked' | 'remembered';
}

interface Entry {
  dst?: unknown;
  lladdr?: unknown;
  state?: unknown;
}

/** @see https://man7.org/linux/man-pages/man8/ip-neighbour.8.html */
const HERE = new Set(['REACHABLE', 'PERMANENT']);
const ASKED = new Set(['DELAY', 'PROBE', 'INCOMPLETE']);

/**
 * Reads what `ip -json neighbour show` writes. Entries without a MAC address that nobody is asked for any more are left
 * out: nobody is there.
 * @throws SyntaxError where it is no JSON
 */
export function parseNeighbours(text: string): Neighbour[] {
  const entries: unknown = JSON.parse(text.trim() === '' ? '[]' : text);
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: Entry): Neighbour[] => {
    const { dst, lladdr, state } = entry;
    if (typeof dst !== 'string' || !Array.isArray(state)) return [];
    const words = state.map(String);
    const mac = typeof lladdr === 'string' ? lladdr.toLowerCase() : '';
    if (words.some((word) => ASKED.has(word))) return [{ address: dst, mac, state: 'asked' }];
    if (mac === '' || words.includes('FAILED')) return [];
    return [{ address: dst, mac, state: words.some((word) => HERE.has(word)) ? 'here' : 'remembered' }];
  });
}

/** The neighbours of this machine; none where there is no `ip`, as in some containers. */
export async function ipNeighbours(): Promise<Neighbour[]> {
  const text = await new Promise<string>((resolve) => {
    execFile(
      'ip',
      ['-4', '-json', 'neighbour', 'show'],
      { encoding: 'utf8', timeout: 5_000, maxBuffer: 4 * 1024 ** 2 },
      (error, stdout) => resolve(error === null ? stdout : ''),
    );
  });
  return parseNeighbours(text);
}
