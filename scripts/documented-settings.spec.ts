import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apiConfigurationSchema, workerConfigurationSchema } from '#core/configuration/configuration';

const documented = [
  ...readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8').matchAll(/^\| `([A-Z_]+)`/gm),
].map(([, name]) => name);

describe('docs/operations.md', () => {
  it('has every setting, and no other', () => {
    const settings = new Set([
      ...Object.keys(apiConfigurationSchema.shape),
      ...Object.keys(workerConfigurationSchema.shape),
    ]);
    expect(documented.toSorted()).toEqual([...settings].toSorted());
  });
});
