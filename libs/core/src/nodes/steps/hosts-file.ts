import type { Board } from '../board.ts';

const BEGIN = '# Boards of the cluster, kept by Bramble: begin';
const END = '# Boards of the cluster, kept by Bramble: end';

/**
 * `/etc/hosts` with all boards in it. A name of the cluster never means the loopback: MPI and Slurm would talk to
 * themselves. What else is in the file stays.
 * @param current the file as it is, or undefined where there is none
 */
export function hostsFile(
  current: string | undefined,
  boards: readonly Pick<Board, 'name' | 'address'>[],
  domain: string,
): string {
  const names = new Set(boards.flatMap(({ name }) => [name, `${name}.${domain}`]));
  const others = withoutBlock((current ?? '127.0.0.1\tlocalhost\n').split('\n')).flatMap((line) =>
    withoutNames(line, names),
  );
  while (others.at(-1)?.trim() === '') others.pop();
  const block = [...boards]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, address }) => `${address}\t${name}.${domain} ${name}`);
  return [...others, '', BEGIN, ...block, END, ''].join('\n');
}

function withoutBlock(lines: readonly string[]): string[] {
  const [begin, end] = [lines.indexOf(BEGIN), lines.indexOf(END)];
  return begin === -1 || end < begin ? [...lines] : [...lines.slice(0, begin), ...lines.slice(end + 1)];
}

/** A line without these names; nothing where no other name is left. */
function withoutNames(line: string, names: ReadonlySet<string>): string[] {
  const [entry = '', ...comment] = line.split('#');
  const [address, ...hosts] = entry.trim().split(/\s+/);
  const kept = hosts.filter((host) => !names.has(host));
  if (address === undefined || kept.length === hosts.length) return [line];
  if (kept.length === 0) return [];
  return [`${address}\t${kept.join(' ')}${comment.length === 0 ? '' : ` #${comment.join('#')}`}`];
}
