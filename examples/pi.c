#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

/* Computes pi by the midpoint rule over all ranks; rank 0 leaves the result in pi.csv. */
int main(int argc, char **argv) {
  int rank, size;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  const char *node = getenv("SLURMD_NODENAME");
  printf("rank %d of %d on %s\n", rank, size, node ? node : "?");

  const long steps = 100000000;
  double part = 0.0, pi = 0.0;
  for (long i = rank; i < steps; i += size) {
    double x = (i + 0.5) / steps;
    part += 4.0 / (1.0 + x * x);
  }
  MPI_Reduce(&part, &pi, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);

  if (rank == 0) {
    pi /= steps;
    printf("pi = %.10f\n", pi);
    FILE *result = fopen("pi.csv", "w");
    if (result == NULL) return 1;
    fprintf(result, "ranks,pi\n%d,%.10f\n", size, pi);
    fclose(result);
  }
  MPI_Finalize();
  return 0;
}
