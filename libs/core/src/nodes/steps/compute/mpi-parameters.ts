const BEGIN = '# Kept by Bramble: begin';
const END = '# Kept by Bramble: end';

/**
 * Open MPI's parameters for all users of a board: ranks talk over the cluster's network alone. Left to itself Open MPI
 * tries all interfaces that are up, and hangs where one of them leads nowhere. What else is in the file stays.
 * @param current empty where there is no file
 * @param subnet CIDR notation
 * @see https://docs.open-mpi.org/en/v4.1.x/faq/tcp.html
 */
export function mpiParameters(current: string, subnet: string): string {
  const lines = current.split('\n');
  const [begin, end] = [lines.indexOf(BEGIN), lines.indexOf(END)];
  const others = begin === -1 || end < begin ? lines : [...lines.slice(0, begin), ...lines.slice(end + 1)];
  while (others.at(-1) === '') others.pop();
  const block = ['btl_tcp_if_include', 'oob_tcp_if_include'].map((name) => `${name} = ${subnet}`);
  return [...others, BEGIN, ...block, END, ''].join('\n');
}
