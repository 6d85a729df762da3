import { StorageLayout } from '#infra/storage/storage-layout';
import { collectRunOutputs } from '#infra/storage/run-outputs';
import { RunLogs } from '#infra/storage/run-logs';
import { RunStaging } from '#infra/storage/run-staging';
import { StoredArtifactContents } from '#infra/storage/stored-artifact-contents';
import { sweepStaging } from '#infra/storage/sweep-staging';

/**
 * What api and worker do on the shared storage: `prepare ROOT GROUP`, `stage ROOT GROUP JOB UID`, `collect ROOT GROUP
 * JOB`, `sweep ROOT GROUP`; without a group where GROUP is empty.
 */
const [step = '', root = '', group = '', job = '', uid] = process.argv.slice(2);
const layout = new StorageLayout({ root, ...(group === '' ? {} : { groupId: Number(group) }) });
const contents = new StoredArtifactContents(layout);

async function* text(line: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(line);
}

switch (step) {
  case 'prepare':
    await layout.prepare();
    break;
  case 'stage': {
    await layout.prepare();
    const { sha256 } = await contents.store(text('1 2 3\n'), { maximumBytes: 100 });
    const account = { name: 'alice', uid: Number(uid), gid: Number(uid), home: '/nowhere' };
    const files = [
      { path: 'run.sh', mode: 0o700, source: { text: 'true\n' } },
      { path: 'data/input.txt', mode: 0o600, source: { sha256 } },
    ];
    await new RunStaging(layout, contents).stage(job, files, account);
    break;
  }
  case 'collect': {
    const { files } = await collectRunOutputs(layout.runDirectory(job), ['out/*']);
    const log = await new RunLogs(layout).tail(job, 'stdout', 100);
    console.log(JSON.stringify({ log, files: files.map(({ path, size }) => ({ path, size })) }));
    break;
  }
  case 'sweep':
    console.log(await sweepStaging(layout, new Date(Date.now() + 48 * 60 * 60 * 1000)));
    break;
  default:
    throw new Error(`no such step: ${step}`);
}
