/**
 * Blocks of MAC addresses of the Raspberry Pi Foundation and of Raspberry Pi (Trading) Ltd, lower case.
 * @see https://standards-oui.ieee.org/oui/oui.txt
 */
const RASPBERRY_PI = new Set([
  'b8:27:eb',
  'dc:a6:32',
  'e4:5f:01',
  '28:cd:c1',
  'd8:3a:dd',
  '2c:cf:67',
  '88:a2:9e',
]);

export type Vendor = 'Raspberry Pi';

/**
 * Who has made a network interface, by its address. A Raspberry Pi with a USB network adapter has another one's.
 * @param mac such as `dc:a6:32:01:02:03`
 */
export const vendorOf = (mac: string): Vendor | null =>
  RASPBERRY_PI.has(mac.toLowerCase().slice(0, 8)) ? 'Raspberry Pi' : null;
