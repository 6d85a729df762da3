import { cidrOf, type NetworkSettings } from './settings.ts';

/** Where a block ends, by dhcpcd.conf(5). */
const NEXT = /^\s*(interface|ssid|profile|arping)\s/;
const ADDRESSING =
  /^\s*(static\s+(ip_address|subnet_mask|broadcast_address|routers|domain_name_servers)\s*=|inform\b|fallback\b|request\b)/;

/** The lines of an interface's blocks; empty where there is none. */
export function dhcpcdBlock(text: string, name: string): string {
  const lines = text.split('\n');
  return blocksOf(lines, name)
    .map(([first, end]) => lines.slice(first, end).join('\n'))
    .join('\n');
}

/** `/etc/dhcpcd.conf` with these settings for an interface. */
export function dhcpcdConf(text: string, name: string, settings: NetworkSettings): string {
  const lines = text.split('\n');
  const blocks = blocksOf(lines, name);
  for (const [index, [first, end]] of [...blocks.entries()].reverse()) {
    const kept = lines.slice(first + 1, end).filter((line) => !ADDRESSING.test(line));
    const said = index === 0 ? [`interface ${name}`, ...linesOf(settings)] : [];
    lines.splice(first, end - first, ...said, ...kept);
  }
  if (blocks.length > 0) return lines.join('\n');
  while (lines.at(-1)?.trim() === '') lines.pop();
  return [...lines, '', `interface ${name}`, ...linesOf(settings), ''].join('\n');
}

function linesOf(settings: NetworkSettings): string[] {
  const { gateway, nameServers } = settings;
  return [
    `static ip_address=${cidrOf(settings)}`,
    ...(gateway === null ? [] : [`static routers=${gateway}`]),
    ...(nameServers.length === 0 ? [] : [`static domain_name_servers=${nameServers.join(' ')}`]),
  ];
}

/** From the line that begins it to the one after it. */
function blocksOf(lines: readonly string[], name: string): [number, number][] {
  return lines.flatMap((line, first): [number, number][] => {
    const [keyword, interfaceName] = line.trim().split(/\s+/);
    if (keyword !== 'interface' || interfaceName !== name) return [];
    const next = lines.findIndex((other, at) => at > first && NEXT.test(other));
    return [[first, next === -1 ? lines.length : next]];
  });
}
