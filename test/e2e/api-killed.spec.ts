import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bramble, fileFrom } from '@bramble/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { type Installation, startInstallation } from './installation.ts';
import { Tally } from './tally.ts';

const KILLS = 12;

let lab: SlurmLab;
let bramble: Installation;
let tally: Tally;
let client: Bramble;

beforeAll(async () => {
  lab = await labUp();
  bramble = await startInstallation(lab);
  tally = new Tally(bramble.storage);
  client = new Bramble({
    baseUrl: bramble.apiUrl,
    apiKey: bramble.adminKey,
    maxRetries: 60,
    retryDelayMs: 100,
  });
});
afterAll(() => bramble.stop());

/** Kills the api so long after a request was begun, and starts it again. */
async function killAfter<T>(ms: number, request: () => Promise<T>): Promise<T> {
  const answer = request();
  await sleep(ms);
  await bramble.api.kill();
  await bramble.api.start();
  return answer;
}

describe('the api, killed in the middle of a request', () => {
  it('has taken the job once or not at all, and the same request again makes it one', async () => {
    const jobs = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const name = `mid-request-${kill}`;
      jobs.push(await killAfter(kill * 2, () => client.jobs.submit({ name, script: tally.script(name) })));
    }
    for (const job of jobs) {
      await job.wait({ timeoutMs: 60_000 });
      expect([job.name, tally.count(job.id)]).toEqual([job.name, 1]);
      const same = [];
      for await (const listed of client.jobs.list({ name: job.name })) same.push(listed.id);
      expect(same).toEqual([job.id]);
    }
  });

  it('has taken an upload whole or not at all, and the upload again brings it whole, once', async () => {
    const content = randomBytes(24 * 1024 * 1024);
    for (let kill = 1; kill <= 4; kill += 1) {
      const path = join(bramble.home, `data-${kill}`);
      await writeFile(path, content.subarray(kill));
      const file = await fileFrom(path);
      const artifact = await killAfter(kill * 15, () => client.artifacts.upload(file));
      const sha256 = createHash('sha256').update(content.subarray(kill)).digest('hex');
      expect(artifact).toMatchObject({ sha256, size: content.length - kill });
    }
    const names = [];
    for await (const { name } of client.artifacts.list()) names.push(name);
    expect(names).toEqual(['data-4', 'data-3', 'data-2', 'data-1']);
  });
});
