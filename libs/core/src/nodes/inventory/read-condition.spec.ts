import { describe, expect, it } from 'vitest';
import { parseCondition } from './read-condition.ts';

const AT = Date.parse('2031-04-05T06:07:08.000Z');
const BOOT_ID = '1b4e28ba-2fa1-11d2-883f-0016d3cca427';
const text = (changes: Partial<Record<string, string>> = {}) =>
  Object.entries({
    temperature: '48312',
    throttled: 'throttled=0x50000',
    disk: '/dev/mmcblk0p2 30000000 9000000 21000000 31% /',
    load: '0.52 0.58 0.59 1/467 12345',
    uptime: '3600.25 7000.00',
    bootId: BOOT_ID,
    time: `${AT / 1000 + 1}.500000000`,
    ...changes,
  })
    .map(([name, value]) => `${name}\t${value}\n`)
    .join('');

describe('the condition of a board', () => {
  it('is read from what it wrote', () => {
    expect(parseCondition(text(), AT - 300, AT + 300)).toEqual({
      temperatureCelsius: 48.312,
      throttled: ['under-voltage since the start', 'throttled since the start'],
      clockSkewSeconds: 1.5,
      clockSkewUncertaintySeconds: 0.3,
      rootUsedPercent: 30,
      rootFreeMebibytes: 20_507,
      load: 0.52,
      bootId: BOOT_ID,
      bootedAt: '2031-04-05T05:07:07.750Z',
      readAt: '2031-04-05T06:07:08.000Z',
    });
  });

  it('may be without a thermometer and vcgencmd', () => {
    expect(parseCondition(text({ temperature: '', throttled: '' }), AT, AT)).toMatchObject({
      temperatureCelsius: null,
      throttled: null,
    });
  });

  it('is read where a device has spaces in its name', () => {
    expect(parseCondition(text({ disk: 'a 1 b 100 50 50 50% /' }), AT, AT).rootUsedPercent).toBe(50);
  });

  it.each(['disk', 'load', 'uptime', 'bootId', 'time'])('is not made up where %s is missing', (name) => {
    expect(() => parseCondition(text({ [name]: '' }), AT, AT)).toThrow(`It does not tell its ${name}.`);
  });
});
