import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { CHECKOUT } from '../scripts/installation.ts';

/** Those that take more than half a minute alone. */
const LONGEST = [
  'test/e2e/cluster.spec.ts',
  'test/integration/boards/killed.spec.ts',
  'test/e2e/services.spec.ts',
  'test/e2e/boards.spec.ts',
  'test/e2e/kills.spec.ts',
  'test/integration/boards/base.spec.ts',
  'test/integration/boards/storage.spec.ts',
  'test/e2e/chaos.spec.ts',
  'test/integration/slurm-exec.spec.ts',
  'test/integration/boards/network.spec.ts',
  'test/e2e/outcomes.spec.ts',
  'test/e2e/chaos-redis.spec.ts',
  'test/sdk-package/package.spec.ts',
  'test/integration/slurm-ssh.spec.ts',
  'test/integration/boards/compute.spec.ts',
  'test/integration/queue.spec.ts',
  'test/integration/services/helm-releases.spec.ts',
  'test/integration/slurm-local.spec.ts',
  'test/charts/bramble-on-kubernetes.spec.ts',
  'test/e2e/swagger-ui.spec.ts',
  'test/e2e/api-killed.spec.ts',
  'test/integration/services/rights.spec.ts',
  'test/integration/database/embedded-database.spec.ts',
  'test/e2e/late-slurm.spec.ts',
  'test/integration/boards/failures.spec.ts',
  'test/integration/board-ssh.spec.ts',
  'test/e2e/cli.spec.ts',
  'test/e2e/mpi-job.spec.ts',
];

/** Starts with what takes longest, of whatever project, so that no long file is left alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.indexOf(relative(CHECKOUT, moduleId));
  return place < 0 ? LONGEST.length : place;
}
