import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { labUp } from '../test/lab/slurm-lab.ts';
import { CHECKOUT, installation } from './installation.ts';
import { startServices } from './services.ts';

// From a fresh machine to an MPI job over four nodes, through the SDK as a user would use it. Repeated, it finds
// everything running and only submits the job again.
const startedAt = Date.now();
const step = (line: string) => console.log(`\n== ${line}`);
const note = (line: string) => console.log(`   ${line}`);

step('A Slurm cluster of four nodes on this machine');
const lab = await labUp({ log: note });
note(`${lab.nodes.join(', ')} serve partition ${lab.partitions[0] ?? ''}`);

step('The Bramble API and a worker, with an embedded PostgreSQL');
const place = installation(lab.dir);
mkdirSync(place.storage, { recursive: true, mode: 0o755 });
const { apiUrl } = await startServices(
  place,
  {
    BRAMBLE_STORAGE_ROOT: place.storage,
    BRAMBLE_ADMIN_ACCOUNT: lab.accounts.first,
    SLURM_CONF: lab.slurmConf,
    SLURM_BIN_DIR: lab.binDir,
  },
  note,
);
const keyFile = join(place.home, 'admin.key');
note(`ready at ${apiUrl}`);

step('An MPI job through the SDK: pi over 4 nodes with 2 tasks each');
const { Bramble, fileFrom } = await import('@bramble/sdk');
const bramble = new Bramble({ baseUrl: apiUrl, apiKey: readFileSync(keyFile, 'utf8').trim() });
const job = await bramble.jobs.submit({
  name: 'pi',
  mpi: { source: await fileFrom(join(CHECKOUT, 'examples', 'pi.c')) },
  nodes: 4,
  tasksPerNode: 2,
  timeLimit: '10m',
  outputs: ['*.csv'],
});
note(`submitted as ${job.id}; its log:`);
const lines: string[] = [];
for await (const line of job.logs({ follow: true })) {
  lines.push(line.text);
  console.log(`   | ${line.text}`);
}
const done = await job.wait();
const results = join(place.results, job.id);
await done.outputs.download(results);
const csv = readFileSync(join(results, 'pi.csv'), 'utf8');

const nodesThatAnswered = lab.nodes.filter((node) => lines.some((line) => line.endsWith(`on ${node}`)));
if (nodesThatAnswered.length !== lab.nodes.length || !csv.includes('8,3.1415926536')) {
  throw new Error(
    `the job did not do what it should: ranks on ${nodesThatAnswered.join(', ')}; pi.csv: ${csv}`,
  );
}
note(`${done.data.state}; pi.csv fetched to ${results}: ${csv.trim().split('\n').join(' / ')}`);

console.log(`
Done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s. Running now:
  API and Swagger UI   ${apiUrl}/docs
  API key (admin)      ${keyFile}
  logs                 ${place.logs}
Go on by hand:
  export BRAMBLE_URL=${apiUrl} BRAMBLE_API_KEY=$(cat ${keyFile})
  npx bramble submit examples/pi.c --nodes 4 --tasks-per-node 2 --follow
Stop it all:
  npm run quickstart:stop
`);
