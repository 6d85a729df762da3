import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const CHECKOUT = join(import.meta.dirname, '../..');
const SDK = join(CHECKOUT, 'libs/sdk');

export interface PackedSdk {
  tarball: string;
  /** Everything that is in it, as it stands there: below `package/`. */
  files: string[];
}

/** Packs the SDK as it is published, into an empty directory. What is built already is taken as it is. */
export async function packSdk(directory: string): Promise<PackedSdk> {
  if (!existsSync(join(SDK, 'dist'))) await run('npm', ['run', 'build'], { cwd: SDK });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], { cwd: SDK });
  const [name, ...others] = readdirSync(directory);
  if (name === undefined || others.length > 0) throw new Error(`npm pack made not one file in ${directory}`);
  const tarball = join(directory, name);
  const { stdout } = await run('tar', ['-tzf', tarball]);
  return { tarball, files: stdout.trimEnd().split('\n') };
}
