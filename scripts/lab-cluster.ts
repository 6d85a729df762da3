import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { startEmbeddedDatabase, stopEmbeddedDatabase } from '../libs/infra/src/database/embedded-database.ts';
import { defaultLabDirectory } from '../test/lab/lab-directory.ts';
import {
  clusterDown,
  clusterUp,
  type ClusterLab,
  SHARED,
  STORAGE_BOARD,
} from '../test/lab/cluster/cluster-lab.ts';
import { waitUntil } from '../test/lab/waiting.ts';
import { computePi, enrol, enrolmentOf } from './board-demonstration.ts';

// The whole of a home on this computer: bare boards, a Kubernetes whose machine runs pods, slurmctld and Bramble in pods. It
// enrols the boards through the API, runs MPI on them, and stays until it is interrupted; then it removes all of it.

const DIRECTORY = `${defaultLabDirectory()}-cluster`;
const DATABASE = `${DIRECTORY}-postgres`;
const COMPUTE = { node02: 'one', node03: 'two', node04: 'three' };
const step = (line: string): void => console.log(`\n== ${line}`);
const note = (line: string): void => console.log(`   ${line}`);

const command = process.argv[2];
if (command === 'down') await down();
else if (command === undefined) await run();
else {
  console.error('Usage: npm run lab:cluster, npm run lab:cluster:down');
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  // What an earlier one has left without being interrupted.
  await down();
  try {
    await Promise.race([show(), interrupted]);
    await interrupted;
  } finally {
    step('Removing all of it');
    await down();
  }
  // Whatever it was in the middle of.
  process.exit(0);
}

async function show(): Promise<void> {
  const startedAt = Date.now();
  step('Bare boards, a Kubernetes, images out of a registry, and slurmctld in a pod');
  const database = await startEmbeddedDatabase({ dataDirectory: DATABASE, log: () => undefined });
  const cluster = await clusterUp({
    ...{ directory: DIRECTORY, computeBoards: Object.values(COMPUTE) },
    ...{ databaseUrl: database.url, log: note },
  });
  step('Bramble by its chart: two pods of the api, two of the worker');
  await cluster.upgradeBramble();
  note(`ready at ${cluster.apiUrl}`);

  step('The storage board first, then the compute boards at once');
  const { Bramble } = await import('@bramble/sdk');
  const bramble = new Bramble({ baseUrl: cluster.apiUrl, apiKey: cluster.adminKey() });
  await enrol(bramble, enrolmentOf(cluster.boards.board(STORAGE_BOARD), 'node01', SHARED), note);
  await Promise.all(
    Object.entries(COMPUTE).map(([name, board]) =>
      enrol(bramble, enrolmentOf(cluster.boards.board(board), name), note),
    ),
  );
  const nodes = Object.keys(COMPUTE);
  const areIdle = async (): Promise<boolean> => {
    const seen = await Promise.all(nodes.map((name) => bramble.nodes.get(name)));
    return seen.every(({ slurm }) => slurm?.state === 'idle');
  };
  await waitUntil('all boards to be idle', areIdle, { timeoutMs: 60_000, intervalMs: 500 });

  step(`An MPI job through the SDK: pi over ${nodes.length} boards with 2 tasks each`);
  await computePi(bramble, nodes, note);
  tell(cluster, cluster.adminKey(), (Date.now() - startedAt) / 1000);
}

function tell({ apiUrl, kube }: ClusterLab, apiKey: string, seconds: number): void {
  console.log(`
Done in ${seconds.toFixed(1)} s. Running now:
  API and Swagger UI   ${apiUrl}/docs
  cluster              KUBECONFIG=${kube.kubeconfig} ${kube.binaries.helm} list --all-namespaces
Go on by hand, in another terminal:
  export BRAMBLE_URL=${apiUrl} BRAMBLE_API_KEY=${apiKey}
  npx bramble nodes
  npx bramble submit examples/pi.c --nodes 3 --tasks-per-node 2 --follow
Ctrl+C ends and removes all of it.
`);
}

async function down(): Promise<void> {
  await clusterDown(DIRECTORY);
  await stopEmbeddedDatabase(DATABASE);
  rmSync(DATABASE, { recursive: true, force: true });
}
