import { shellQuote } from '../../../jobs/shell-quote.ts';

export interface SmokeTest {
  /** Tells the job apart from all others; Slurm shows it as the comment. No white space. */
  mark: string;
  /** Names of the nodes, all of which take part. */
  nodes: readonly string[];
  tasksPerNode: number;
  partition: string;
  /** Where the job writes, on the first of its nodes. */
  outputPath: string;
}

/**
 * An MPI program without a compiler: Python calls Open MPI's library. The names are Open MPI 4 and 5's own, for the
 * macros of mpi.h stand for them.
 */
const PROGRAM = `
import ctypes
mpi = ctypes.CDLL("libmpi.so.40", mode=ctypes.RTLD_GLOBAL)
def handle(name):
    return ctypes.byref(ctypes.c_char.in_dll(mpi, name))
world = handle("ompi_mpi_comm_world")
rank, size, total, length = (ctypes.c_int() for _ in range(4))
host = ctypes.create_string_buffer(256)
mpi.MPI_Init(None, None)
mpi.MPI_Comm_rank(world, ctypes.byref(rank))
mpi.MPI_Comm_size(world, ctypes.byref(size))
mpi.MPI_Get_processor_name(host, ctypes.byref(length))
mpi.MPI_Allreduce(ctypes.byref(rank), ctypes.byref(total), 1, handle("ompi_mpi_int"), handle("ompi_mpi_op_sum"), world)
print("rank %d of %d on %s, sum of ranks %d" % (rank.value, size.value, host.value.decode(), total.value), flush=True)
mpi.MPI_Finalize()
`;

const MEBIBYTES_PER_NODE = 200;
export const SMOKE_TEST_MINUTES = 2;

export function smokeTestScript({ mark, nodes, tasksPerNode, partition, outputPath }: SmokeTest): string {
  const options = {
    'job-name': 'bramble-smoke-test',
    comment: mark,
    partition,
    nodes: nodes.length,
    nodelist: nodes.join(','),
    'ntasks-per-node': tasksPerNode,
    mem: `${MEBIBYTES_PER_NODE}M`,
    time: SMOKE_TEST_MINUTES,
    chdir: '/tmp',
    output: outputPath,
  };
  return [
    '#!/bin/sh',
    ...Object.entries(options).map(([name, value]) => `#SBATCH --${name}=${value}`),
    '#SBATCH --no-requeue',
    `chmod 0600 ${shellQuote(outputPath)}`,
    `exec mpirun python3 -c ${shellQuote(PROGRAM)}`,
    '',
  ].join('\n');
}

/** Why what the job has written is not what all ranks together should have; undefined where it is. */
export function smokeTestProblem(
  output: string,
  { nodes, tasksPerNode }: Pick<SmokeTest, 'nodes' | 'tasksPerNode'>,
): string | undefined {
  const size = nodes.length * tasksPerNode;
  const sum = (size * (size - 1)) / 2;
  const pattern = /^rank (\d+) of (\d+) on (\S+), sum of ranks (\d+)$/gm;
  const answers = [...output.matchAll(pattern)].map(([, rank, of, host, total]) => ({
    ...{ rank: Number(rank), of: Number(of), total: Number(total) },
    node: host?.split('.')[0] ?? '',
  }));
  const ranks = new Set(answers.map(({ rank }) => rank));
  if (answers.length !== size || ranks.size !== size) return `${ranks.size} of ${size} ranks have answered`;
  const wrong = answers.find(({ of, total }) => of !== size || total !== sum);
  if (wrong !== undefined)
    return `rank ${wrong.rank} counts ${wrong.of} ranks with the sum ${wrong.total}, not ${size} with ${sum}`;
  const astray = nodes.find((name) => answers.filter(({ node }) => node === name).length !== tasksPerNode);
  if (astray !== undefined) return `not ${tasksPerNode} of the ranks were on ${astray}`;
  return undefined;
}
