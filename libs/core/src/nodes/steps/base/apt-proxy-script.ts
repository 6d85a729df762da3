import { shellQuote } from '../../../jobs/shell-quote.ts';

/**
 * A program for apt's `Proxy-Auto-Detect`: writes the proxy where it answers within two seconds, be it that it does not
 * understand. One that only takes connections would keep apt for minutes. Otherwise it writes what else the board has
 * for a proxy, or `DIRECT`: without an answer, which it keeps for a host, apt would ask again for each file.
 * @param proxy URL of http
 */
export function aptProxyScript(proxy: string): string {
  const { hostname, port } = new URL(proxy);
  const host = hostname.replace(/^\[|\]$/g, '');
  const target = `${shellQuote(host)} ${shellQuote(port === '' ? '80' : port)}`;
  return `#!/bin/sh
# Written by Bramble. apt runs it as _apt.
answers='exec 3<> "/dev/tcp/$0/$1" && printf "HEAD / HTTP/1.0\\r\\n\\r\\n" >&3 && read -r line <&3 && [[ $line == HTTP/* ]]'
if timeout 2 bash -c "$answers" ${target} 2> /dev/null; then
  echo ${shellQuote(proxy)}
else
  eval "$(apt-config shell own Acquire::http::Proxy)"
  echo "\${own:-DIRECT}"
fi
`;
}
