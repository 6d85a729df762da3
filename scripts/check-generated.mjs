// Fails where a generated file in the tree is not what its source makes of it today.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directory = mkdtempSync(join(tmpdir(), 'bramble-generated-'));
const generate = (command, args) => {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) process.exit(1);
};
const openapi = join(directory, 'openapi.json');
const types = join(directory, 'schema.gen.ts');
generate(process.execPath, ['dist/write-openapi.js', openapi]);
generate('npx', ['openapi-typescript', openapi, '-o', types]);
const stale = [
  ['openapi.json', openapi],
  ['libs/sdk/src/schema.gen.ts', types],
].filter(([kept, made]) => readFileSync(kept, 'utf8') !== readFileSync(made, 'utf8'));
rmSync(directory, { recursive: true });
for (const [kept] of stale)
  console.error(`${kept} is not what its source makes of it: run "npm run generate"`);
process.exitCode = stale.length === 0 ? 0 : 1;
