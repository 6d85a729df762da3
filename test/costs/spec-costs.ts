import { relative } from 'node:path';
import { afterAll, expect } from 'vitest';
import { CHECKOUT } from '../../scripts/installation.ts';
import { sinceLastTime } from './since-last-time.ts';
import { noteCost } from './ledger.ts';

// A process runs one file of tests after the other: what it has used since the one before is what a file costs.
afterAll(() => {
  const { testPath = '' } = expect.getState();
  noteCost({ kind: 'spec', name: relative(CHECKOUT, testPath), ...sinceLastTime() });
});
