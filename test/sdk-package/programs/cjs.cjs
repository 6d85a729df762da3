const { Bramble, fileFrom } = require('@bramble/sdk');

async function main() {
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
  const done = await job.wait();
  await done.outputs.download('./results');
}

main();
