/** `/etc/resolv.conf` with these name servers, where no program writes it. */
export function resolvConf(text: string, nameServers: readonly string[]): string {
  const others = text.split('\n').filter((line) => !/^\s*nameserver\s/.test(line));
  while (others.at(-1)?.trim() === '') others.pop();
  return [...others, ...nameServers.map((server) => `nameserver ${server}`), ''].join('\n');
}
