import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { ensureDebianPackages } from './debian-packages.ts';
import { CHECKOUT } from './installation.ts';

// Whether the main job works, within a minute and a half: unit tests of what has changed, an MPI job through the SDK on
// the real Slurm of the lab, and a worker that is killed meanwhile. Everything else is `npm test`.

/** What is compared with: where this branch left the one it goes to, else the commit before. */
function base(): string {
  const { status, stdout } = spawnSync('git', ['merge-base', 'HEAD', '@{upstream}'], {
    cwd: CHECKOUT,
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : 'HEAD~1';
}

async function vitest(...args: string[]): Promise<boolean> {
  const child = spawn('npx', ['vitest', 'run', ...args], { cwd: CHECKOUT, stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}

const startedAt = Date.now();
await ensureDebianPackages('slurm', console.log);
const passed = [
  await vitest('--project=unit', `--changed=${base()}`, '--passWithNoTests'),
  await vitest(
    '--project=e2e',
    'test/e2e/mpi-job.spec.ts',
    '--testNamePattern=through the SDK|a worker that is killed',
  ),
];
console.log(
  `${passed.every(Boolean) ? 'passed' : 'FAILED'} in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`,
);
process.exitCode = passed.every(Boolean) ? 0 : 1;
