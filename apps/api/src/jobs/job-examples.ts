const PI = `#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  int rank, size;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  const char *node = getenv("SLURMD_NODENAME");
  printf("rank %d of %d on %s\\n", rank, size, node ? node : "?");

  const long steps = 10000000;
  double part = 0.0, pi = 0.0;
  for (long i = rank; i < steps; i += size) {
    double x = (i + 0.5) / steps;
    part += 4.0 / (1.0 + x * x);
  }
  MPI_Reduce(&part, &pi, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0) {
    printf("pi = %.10f\\n", pi / steps);
    FILE *result = fopen("pi.csv", "w");
    fprintf(result, "ranks,pi\\n%d,%.10f\\n", size, pi / steps);
    fclose(result);
  }
  MPI_Finalize();
  return 0;
}
`;

/** What Swagger UI offers to send; each runs as it stands. */
export const JOB_EXAMPLES = {
  mpi: {
    summary: 'An MPI program, compiled on the cluster',
    value: {
      name: 'pi',
      mpi: { source: { name: 'pi.c', content: PI } },
      nodes: 4,
      tasksPerNode: 2,
      timeLimit: '5m',
      outputs: ['*.csv'],
    },
  },
  command: {
    summary: 'A command',
    value: { name: 'where', command: ['srun', 'hostname'], nodes: 2, timeLimit: '1m' },
  },
  script: {
    summary: 'A batch script with its #SBATCH lines',
    value: {
      name: 'hello',
      script: '#!/bin/bash\n#SBATCH --ntasks=1\n#SBATCH --time=1\necho "hello from $SLURMD_NODENAME"\n',
    },
  },
};
