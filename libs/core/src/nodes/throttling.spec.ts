import { describe, expect, it } from 'vitest';
import { decodeThrottled } from './throttling.ts';

describe('decodeThrottled', () => {
  it.each([
    ['throttled=0x0\n', []],
    ['throttled=0x1', ['under-voltage']],
    ['throttled=0x50000', ['under-voltage since the start', 'throttled since the start']],
    [
      'throttled=0x50005',
      ['under-voltage', 'throttled', 'under-voltage since the start', 'throttled since the start'],
    ],
    [
      'throttled=0xE0008',
      [
        'soft temperature limit',
        'frequency capped since the start',
        'throttled since the start',
        'soft temperature limit since the start',
      ],
    ],
  ])('reads %j', (text, conditions) => {
    expect(decodeThrottled(text)).toEqual(conditions);
  });

  it.each(['', 'throttled=', 'VCHI initialization failed', 'throttled=0x123456789', 'throttled=5'])(
    'does not read %j',
    (text) => {
      expect(decodeThrottled(text)).toBeUndefined();
    },
  );
});
