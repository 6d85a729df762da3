// Brings a fresh checkout to where everything else can run: dependencies from npm, then the build. Runs on any Node from
// 20 on, because there is no other yet; what follows runs on the Node that the dependencies bring. Repeated, it only
// compares and takes well under a second.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const BUILD_INPUTS = [
  'apps',
  'libs',
  'package.json',
  'tsconfig.json',
  'scripts/bundle.ts',
  'scripts/build-apps.ts',
];

function run(purpose, command, args) {
  console.log(`setup: ${purpose} (${command} ${args.join(' ')})`);
  const startedAt = Date.now();
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined || status !== 0) {
    console.error(
      `setup: failed at: ${command} ${args.join(' ')}${error === undefined ? '' : ` (${error.message})`}`,
    );
    process.exit(1);
  }
  console.log(`setup: done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** Does `work` where the fingerprint is another than that of the last time. */
function once(stampFile, fingerprint, work) {
  const stamp = join(root, stampFile);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return;
  rmSync(stamp, { force: true });
  work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, fingerprint);
}

function* files(path) {
  if (!statSync(path).isDirectory()) {
    yield path;
    return;
  }
  for (const name of readdirSync(path).sort()) {
    if (name !== 'node_modules' && name !== 'dist') yield* files(join(path, name));
  }
}

function fingerprint(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const file of files(join(root, input)))
      hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

once('node_modules/.bramble-dependencies', fingerprint(['package-lock.json']), () => {
  run('installing dependencies', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
});
once('dist/.bramble-build', fingerprint(BUILD_INPUTS), () => {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  run('building api, worker and SDK', 'npm', ['run', '--silent', 'build']);
});
