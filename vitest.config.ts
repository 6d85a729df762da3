import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { TEST_LAB_DIRECTORY } from './test/lab/test-lab.ts';
import { LongestFirst } from './test/longest-first.ts';
import { PATIENCE_MS } from './test/patience.ts';

const conditions = ['bramble-source', 'module', 'node', 'development|production'];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

const larger = {
  setupFiles: ['test/costs/spec-costs.ts'],
  // Files share a process, one after the other: reading all modules again takes a second of each.
  isolate: false,
  // Limits are for what hangs: on a busy machine, things take ten times as long as alone.
  testTimeout: 600_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: PATIENCE_MS } },
};
const withLab = {
  ...larger,
  env: { BRAMBLE_LAB_DIR: TEST_LAB_DIRECTORY },
  globalSetup: ['test/lab/global-setup.ts'],
};

export default defineConfig({
  test: {
    // Most of the time goes by in waiting for other processes.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        ...shared,
        // Nothing here is for the whole process: files may share one, which saves a third of the time.
        test: { name: 'unit', include: ['{apps,libs,scripts}/**/*.spec.ts'], isolate: false },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['test/{integration,charts}/**/*.spec.ts'],
          ...withLab,
        },
      },
      {
        ...shared,
        test: {
          name: 'sdk-package',
          include: ['test/sdk-package/**/*.spec.ts'],
          ...larger,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.spec.ts'],
          ...withLab,
        },
      },
    ],
  },
});
