import { expect, it } from 'vitest';
import { modificationTime } from './modification-time.ts';

it.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [1e30, '9999-12-31T00:00:00.000Z'],
  [-1e30, '0001-01-01T00:00:00.000Z'],
])('tells %d as an ISO 8601 time', (mtimeMs, iso) => {
  expect(modificationTime({ mtimeMs }).toISOString()).toBe(iso);
});
