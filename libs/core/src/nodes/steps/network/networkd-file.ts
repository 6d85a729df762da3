import { cidrOf, type NetworkSettings } from './settings.ts';

/** A `.network` file of systemd-networkd for one interface. */
export function networkdFile(name: string, settings: NetworkSettings): string {
  const { gateway, nameServers } = settings;
  return [
    '# Kept by Bramble.',
    '[Match]',
    `Name=${name}`,
    '',
    '[Network]',
    `Address=${cidrOf(settings)}`,
    ...(gateway === null ? [] : [`Gateway=${gateway}`]),
    ...nameServers.map((server) => `DNS=${server}`),
    '',
  ].join('\n');
}
