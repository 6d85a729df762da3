import { inspect } from 'node:util';
import { expect, it, vi } from 'vitest';
import { Bramble, ConfigurationError } from './index.ts';
import { resolveOptions } from './bramble-options.ts';

const settingsOf = (options: Parameters<typeof resolveOptions>[0]) =>
  resolveOptions(options, () => undefined);

it('takes what is left out from the environment', () => {
  const environment: Record<string, string> = {
    BRAMBLE_URL: 'https://pi:8080/bramble/',
    BRAMBLE_API_KEY: ' brk_1\n',
  };
  const settings = resolveOptions({}, (name) => environment[name]);
  expect(settings.baseUrl).toBe('https://pi:8080/bramble');
  expect(settings.apiKey.authorization()).toBe('Bearer brk_1');
});

it('reads the environment of the process', () => {
  vi.stubEnv('BRAMBLE_URL', 'http://pi');
  vi.stubEnv('BRAMBLE_API_KEY', 'brk_1');
  expect(() => new Bramble()).not.toThrow();
  vi.unstubAllEnvs();
});

it.each([
  ['no URL', { apiKey: 'brk_1' }],
  ['no key', { baseUrl: 'http://pi' }],
  ['no URL at all', { baseUrl: 'pi:8080', apiKey: 'brk_1' }],
  ['a password in the URL', { baseUrl: 'http://me:secret@pi', apiKey: 'brk_1' }],
  ['a key of two words', { baseUrl: 'http://pi', apiKey: 'brk_1 brk_2' }],
  ['no time', { baseUrl: 'http://pi', apiKey: 'brk_1', timeoutMs: 0 }],
  ['half a retry', { baseUrl: 'http://pi', apiKey: 'brk_1', maxRetries: 0.5 }],
])('refuses %s', (_, options) => {
  expect(() => settingsOf(options)).toThrow(ConfigurationError);
});

it('does not show a key that it refuses', () => {
  const key = 'brk_secret\u00e9';
  try {
    settingsOf({ baseUrl: 'http://pi', apiKey: key });
    expect.unreachable();
  } catch (error) {
    expect(inspect(error)).not.toContain(key);
  }
});
