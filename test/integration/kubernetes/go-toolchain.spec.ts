import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureDebianPackages } from '../../../scripts/debian-packages.ts';
import { runOrThrow } from '../../lab/boards/command.ts';
import { freePort } from '../../lab/free-port.ts';
import { unpackGo } from '../../lab/kube/go-toolchain.ts';
import { LabError } from '../../lab/lab-error.ts';

let scratch: string;
let server: Server;
let url: string;
let archive: Buffer;
beforeAll(async () => {
  await ensureDebianPackages('kube', () => undefined);
  scratch = mkdtempSync(join(tmpdir(), 'bramble-go-'));
  mkdirSync(join(scratch, 'golang.org/toolchain@v9/bin'), { recursive: true });
  writeFileSync(
    join(scratch, 'golang.org/toolchain@v9/bin/go'),
    '#!/bin/sh\necho go version go9.9.9 linux/amd64\n',
  );
  // Of a file that is not executable: zip files of Go's modules say nothing of modes.
  await runOrThrow(['sh', '-c', 'cd "$1" && zip -qr go.zip golang.org', 'sh', scratch]);
  archive = readFileSync(join(scratch, 'go.zip'));
  server = createServer((request, response) => {
    if (request.url === '/go.zip') response.end(archive);
    else response.writeHead(404).end();
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${port}/go.zip`;
});
afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe('an archive of Go', () => {
  it('is unpacked when it is the one that was meant, in place of what is there', async () => {
    const directory = join(scratch, 'unpacked');
    const sha256 = createHash('sha256').update(archive).digest('hex');
    for (let turn = 0; turn < 2; turn++) {
      const go = await unpackGo({ url, sha256 }, directory);
      expect(await runOrThrow([go])).toBe('go version go9.9.9 linux/amd64\n');
    }
    expect(existsSync(join(directory, 'go.zip'))).toBe(false);
  });

  it('is not unpacked when it is another', async () => {
    const directory = join(scratch, 'refused');
    const refused = unpackGo({ url, sha256: '0'.repeat(64) }, directory);
    await expect(refused).rejects.toThrow(/has the SHA-256 [0-9a-f]{64}, and should have 0{64}/);
    expect(existsSync(directory) || existsSync(`${directory}.new`)).toBe(false);
  });

  it('is missed with a remedy', async () => {
    const missing = unpackGo({ url: `${url}.missing`, sha256: '' }, join(scratch, 'missing'));
    await expect(missing).rejects.toThrow(LabError);
    await expect(missing).rejects.toThrow(/could not be downloaded \(curl: .* 404\)\. Install a newer Go/);
  });
});
