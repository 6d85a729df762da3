import { cidrOf, type NetworkSettings } from './settings.ts';

/**
 * A file of netplan that is read after all others and overrides what they say about one interface. Netplan joins lists
 * of addresses instead: those must be nowhere else.
 * @param kind netplan's, such as `ethernets`
 * @param id what the other files call the interface
 */
export function netplanFile(kind: string, id: string, settings: NetworkSettings): string {
  const { gateway, nameServers } = settings;
  return [
    '# Kept by Bramble.',
    'network:',
    '  version: 2',
    `  ${kind}:`,
    `    ${JSON.stringify(id)}:`,
    '      dhcp4: false',
    '      addresses:',
    `        - ${cidrOf(settings)}`,
    // `default` is not known to netplan before 0.104.
    ...(gateway === null ? [] : ['      routes:', '        - to: 0.0.0.0/0', `          via: ${gateway}`]),
    ...(nameServers.length === 0
      ? []
      : ['      nameservers:', `        addresses: [${nameServers.join(', ')}]`]),
    '',
  ].join('\n');
}
