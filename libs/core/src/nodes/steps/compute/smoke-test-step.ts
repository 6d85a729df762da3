import type { Board } from '../../board.ts';
import type { BoardConnection } from '../../board-connection.ts';
import { type BoardStep, differs, right, type StepContext, StepProblem } from '../../board-step.ts';
import { readBoardFile, writeBoardFile } from '../../board-files.ts';
import { installPackages } from '../../packages.ts';
import { succeed } from '../../succeed.ts';
import { isInService, slurmNode } from '../life/slurm-node.ts';
import { hasPassed, keepPassed, runSmokeTestJob } from './smoke-test-job.ts';
import { smokeTestProblem } from './smoke-test-script.ts';
import { NO_SLURM, slurmOfSite } from './slurm-of-site.ts';

/** Tells with what the last test was passed: it is run again where any of that has changed. */
const MARKER_PATH = '/var/lib/bramble/smoke-test';
const VERSIONS_MARK = 'versions:';
const MOST_TASKS_PER_NODE = 2;
const SHOWN_BYTES = 20_000;

const PROBE = `
cat ${MARKER_PATH} 2> /dev/null
echo ${VERSIONS_MARK}
dpkg-query --show --showformat='\${Package} \${Version}\\n' slurmd openmpi-bin 2> /dev/null
true
`;

/** A real MPI job on the new node, and then together with another board. */
export const smokeTestStep: BoardStep = {
  name: 'smoke-test',
  title: 'an MPI job over the boards',
  roles: ['compute'],
  probe: () => ({ script: PROBE }),
  async check(seen, context) {
    if (context.site.slurm === null) return right(NO_SLURM);
    const { marker, wanted } = parse(seen, context);
    if (marker === wanted) return right('passed with what is installed');
    const node = await slurmNode(context);
    if (node?.flags.includes('drain') === true) return right('not run: the node is drained');
    return differs(marker === '' ? 'no test was passed yet' : 'the last test was passed with something else');
  },
  async apply(context, seen) {
    await ensurePython(context);
    await test(context, [context.board]);
    // Boards that are enrolled at the same time may from now on take this one for their second test.
    await mark(context, 'passed alone\n');
    const partner = await findPartner(context);
    if (partner !== undefined) await test(context, [context.board, partner]);
    await mark(context, parse(seen, context).wanted);
    return `all ranks have answered${partner === undefined ? '' : `, also together with ${partner.name}`}`;
  },
};

async function mark({ connection }: StepContext, text: string): Promise<void> {
  await succeed(connection, { argv: ['mkdir', '-p', MARKER_PATH.replace(/\/[^/]*$/, '')], root: true });
  await writeBoardFile(connection, MARKER_PATH, text);
}

/** Raspberry Pi OS has it; Debian's smallest system has python3-minimal, which lacks ctypes. */
async function ensurePython(context: StepContext): Promise<void> {
  const end = await context.connection.run({ argv: ['python3', '-c', 'import ctypes'] });
  if (end.kind !== 'exited' || end.code !== 0) await installPackages(context, ['python3']);
}

async function test(context: StepContext, boards: readonly Board[]): Promise<void> {
  const names = boards.map(({ name }) => name);
  if (hasPassed(context, names)) return;
  const what = { nodes: names, ...(await partOfSlurm(context, names)) };
  const { job, outputPath } = await runSmokeTestJob(context, what);
  const { output, remove } = await outputOf(context, boards, outputPath);
  await context.say(output);
  const problem = smokeTestProblem(output, what);
  const isPassed = job.state === 'COMPLETED' && problem === undefined;
  if (isPassed) await keepPassed(context, names);
  await remove();
  if (isPassed) return;
  const reason = `${job.state}, exit code ${job.exitCode}, reason ${job.reason}`;
  throw new StepProblem(
    `The test job ${job.id} on ${names.join(' and ')} failed: ${problem ?? 'all ranks have answered'} (Slurm: ${reason}). ` +
      `The end of its output:\n${output.trim().slice(-2000) || 'nothing'}`,
  );
}

async function partOfSlurm(
  { slurm }: StepContext,
  names: readonly string[],
): Promise<{ partition: string; tasksPerNode: number }> {
  const answers = await Promise.all(names.map((name) => slurm.nodes.find(name)));
  const nodes = answers.flatMap((answer) => (answer.kind === 'present' ? [answer.value] : []));
  const list = names.join(' and ');
  if (nodes.length < names.length)
    throw new StepProblem(`Slurm does not tell of ${list}.`, { passing: true });
  const partition = nodes[0]?.partitions.find((name) =>
    nodes.every((node) => node.partitions.includes(name)),
  );
  if (partition === undefined)
    throw new StepProblem(
      `No partition has ${list}. Add a line such as "PartitionName=all Nodes=ALL Default=YES" to slurm.conf.`,
    );
  return { partition, tasksPerNode: Math.min(MOST_TASKS_PER_NODE, ...nodes.map(({ cpus }) => cpus)) };
}

/** `$1` path. The job's account could put a link in its place, which is not followed. */
const READ = `[ -f "$1" ] && [ ! -L "$1" ] && exec tail -c ${SHOWN_BYTES} -- "$1"; exit 3`;

/** What the job has written, which is on the node that Slurm began it on. */
async function outputOf(
  context: StepContext,
  boards: readonly Board[],
  path: string,
): Promise<{ output: string; remove: () => Promise<void> }> {
  for (const board of boards) {
    const output = await on(context, board, async (connection) => {
      const end = await connection.run({ argv: ['sh', '-c', READ, 'sh', path], root: true });
      if (end.kind === 'exited') return end.code === 0 ? end.stdout : undefined;
      throw new StepProblem(`${board.name} went away: ${end.because}`, { passing: true });
    });
    if (output === undefined) continue;
    const remove = () =>
      on(context, board, async (connection) => {
        await succeed(connection, { argv: ['rm', '-f', '--', path], root: true });
      });
    return { output, remove };
  }
  return { output: '', remove: async () => {} };
}

/** On the board of the operation, or on another one. */
async function on<Result>(
  context: StepContext,
  board: Board,
  work: (connection: BoardConnection) => Promise<Result>,
): Promise<Result> {
  if (board.id === context.board.id) return work(context.connection);
  const connection = await context.signInTo(board);
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

/** Boards that run the same programs: what one has compiled is run by all of a job. */
export function boardsAlike({ board, boards, facts }: StepContext): Board[] {
  return boards.filter(
    (other) =>
      other.id !== board.id &&
      !other.trial &&
      other.roles.includes('compute') &&
      other.facts?.architecture === facts.architecture &&
      other.facts.os === facts.os,
  );
}

/** Another board of the same kind that has passed its own test and has nothing to do. */
async function findPartner(context: StepContext): Promise<Board | undefined> {
  const { slurm } = context;
  for (const other of boardsAlike(context)) {
    const answer = await slurm.nodes.find(other.name);
    if (answer.kind !== 'present' || answer.value.state !== 'idle' || !isInService(answer.value)) continue;
    if (await wasTested(context, other)) return other;
  }
  await context.say('No other board of this kind is idle: the test was on this one alone.\n');
  return undefined;
}

async function wasTested(context: StepContext, other: Board): Promise<boolean> {
  try {
    return await on(
      context,
      other,
      async (connection) => (await readBoardFile(connection, MARKER_PATH)) !== undefined,
    );
  } catch (error) {
    if (!(error instanceof StepProblem)) throw error;
    await context.say(`${other.name} is left out: ${error.message}\n`);
    return false;
  }
}

function parse(seen: string, { board, site }: StepContext): { marker: string; wanted: string } {
  const at = seen.indexOf(`${VERSIONS_MARK}\n`);
  const { host, port } = slurmOfSite(site);
  const versions = seen.slice(at + VERSIONS_MARK.length + 1).trim();
  return {
    marker: seen.slice(0, at),
    wanted: `${versions}\naddress ${board.address}\nslurmctld ${host}:${port}\n`,
  };
}
