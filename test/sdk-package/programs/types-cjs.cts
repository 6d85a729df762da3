import sdk = require('@bramble/sdk');

const bramble = new sdk.Bramble({ baseUrl: 'http://pi-head:8080', apiKey: 'brk_' });

async function runPi(): Promise<readonly string[]> {
  const submission: sdk.JobSubmission = { mpi: { source: await sdk.fileFrom('pi.c') }, nodes: 4 };
  const job: sdk.Job = await bramble.jobs.submit(submission);
  for await (const { text } of job.logs({ follow: true })) console.log(text.trimEnd());
  const done = await job.wait();
  const files: sdk.DownloadedFile[] = await done.outputs.download('results');
  return files.map(({ localPath }) => localPath);
}

// @ts-expect-error: a number of nodes is a number
void bramble.jobs.submit({ command: ['true'], nodes: 'four' });

export = runPi;
