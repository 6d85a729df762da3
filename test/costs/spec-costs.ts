import { relative } from 'node:path';
import { afterAll, expect } from 'vitest';
import { CHECKOUT } from '../../scripts/installation.ts';
import { ownCpuSeconds } from './cpu-time.ts';
import { noteCost } from './ledger.ts';

// Each file of tests has a process of its own: what that has used since its start is what the file costs.
afterAll(() => {
  const { testPath = '' } = expect.getState();
  noteCost({
    kind: 'spec',
    name: relative(CHECKOUT, testPath),
    wallSeconds: process.uptime(),
    cpuSeconds: ownCpuSeconds(),
  });
});
