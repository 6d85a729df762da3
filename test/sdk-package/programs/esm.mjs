import { Bramble, fileFrom } from '@bramble/sdk';

const bramble = new Bramble();
const job = await bramble.jobs.submit({
  name: 'pi',
  mpi: { source: await fileFrom('examples/pi.c') },
  nodes: 4,
  tasksPerNode: 2,
  timeLimit: '10m',
  outputs: ['*.csv'],
});
for await (const line of job.logs({ follow: true })) console.log(line.text);
const done = await job.wait(); // throws JobFailedError with exit code and last lines
await done.outputs.download('./results');
