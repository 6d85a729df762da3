import { cidrOf, type NetworkSettings } from './settings.ts';

/** Keys of `[ipv4]` that say the address, or that there be none of these; others, such as `dns-search`, stay. */
const ADDRESSING = /^(address(es)?\d*|method|gateway|dns|never-default|route\d+_gateway)\s*=/;

/** The lines of a section of NetworkManager's keyfile, without its name. */
export function sectionOf(text: string, section: string): string[] {
  const lines = text.split('\n');
  const first = lines.indexOf(`[${section}]`);
  if (first === -1) return [];
  const next = lines.findIndex((line, at) => at > first && line.startsWith('['));
  return lines.slice(first + 1, next === -1 ? lines.length : next).filter((line) => line.trim() !== '');
}

/** A profile of NetworkManager with these settings; what else it says, such as a password of Wi-Fi, stays. */
export function keyfileWith(text: string, name: string, settings: NetworkSettings): string {
  const connection = sectionOf(text, 'connection').filter(
    (line) => !/^(autoconnect\s*=\s*false|interface-name\s*=)/.test(line),
  );
  const kept = sectionOf(text, 'ipv4').filter((line) => !ADDRESSING.test(line));
  const named = withSection(text, 'connection', [...connection, `interface-name=${name}`]);
  return withSection(named, 'ipv4', sorted([...kept, ...ipv4Lines(settings)]));
}

/** A profile for a wired interface that has none but what NetworkManager makes up. */
export function newKeyfile(name: string, settings: NetworkSettings): string {
  return [
    '[connection]',
    `id=bramble-${name}`,
    'type=ethernet',
    'autoconnect-priority=100',
    `interface-name=${name}`,
    '',
    '[ipv4]',
    ...ipv4Lines(settings),
    '',
    '[ipv6]',
    'method=auto',
    '',
  ].join('\n');
}

function ipv4Lines(settings: NetworkSettings): string[] {
  const { gateway, nameServers } = settings;
  return [
    `address1=${cidrOf(settings)}${gateway === null ? '' : `,${gateway}`}`,
    ...(nameServers.length === 0 ? [] : [`dns=${nameServers.join(';')};`]),
    'method=manual',
  ];
}

/** By their keys, as NetworkManager writes them. */
function sorted(lines: readonly string[]): string[] {
  const keyOf = (line: string): string => line.split('=')[0]?.trim() ?? '';
  return [...lines].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function withSection(text: string, section: string, content: readonly string[]): string {
  const lines = text.trimEnd().split('\n');
  const first = lines.indexOf(`[${section}]`);
  if (first === -1) return [...lines, '', `[${section}]`, ...content, ''].join('\n');
  const next = lines.findIndex((line, at) => at > first && line.startsWith('['));
  const rest = next === -1 ? [] : ['', ...lines.slice(next)];
  return [...lines.slice(0, first + 1), ...content, ...rest, ''].join('\n');
}
