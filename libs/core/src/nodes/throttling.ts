/**
 * Bits of `vcgencmd get_throttled`. The same conditions stand 16 bits higher for "has happened since the start".
 * @see https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
 */
const CONDITIONS = ['under-voltage', 'frequency capped', 'throttled', 'soft temperature limit'] as const;
const SINCE_START_SHIFT = 16;

/**
 * What `throttled=0x50005` says, in words, such as "under-voltage" and "under-voltage since the start".
 * @returns undefined where the text is something else
 */
export function decodeThrottled(text: string): string[] | undefined {
  const digits = /^throttled=0x([0-9a-f]{1,8})$/i.exec(text.trim())?.[1];
  if (digits === undefined) return undefined;
  const bits = Number.parseInt(digits, 16);
  const isSet = (bit: number) => (bits & (1 << bit)) !== 0;
  return [
    ...CONDITIONS.filter((_, bit) => isSet(bit)),
    ...CONDITIONS.flatMap((name, bit) => (isSet(bit + SINCE_START_SHIFT) ? [`${name} since the start`] : [])),
  ];
}
