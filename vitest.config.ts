import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { TEST_LAB_DIRECTORY } from './test/lab/test-lab.ts';
import { LongestFirst } from './test/longest-first.ts';

const conditions = ['bramble-source', 'module', 'node', 'development|production'];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

const larger = {
  setupFiles: ['test/costs/spec-costs.ts'],
  // Files share a process, one after the other: reading all modules again takes a second of each.
  isolate: false,
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
    // Limits are for what hangs: on two cores, with much at once, things take several times as long as alone.
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
          testTimeout: 240_000,
          hookTimeout: 600_000,
          ...withLab,
        },
      },
      {
        ...shared,
        test: {
          name: 'sdk-package',
          include: ['test/sdk-package/**/*.spec.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          ...larger,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.spec.ts'],
          // Specs that stop parts of Slurm bring a lab of their own.
          testTimeout: 400_000,
          hookTimeout: 600_000,
          ...withLab,
        },
      },
    ],
  },
});
