/** What a number of clients, each with one request at a time, have seen. */
export interface Load {
  elapsedMs: number;
  latenciesMs: number[];
}

/** Does `once` for each of `count` numbers, on `clients` at the same time. */
export async function load(
  clients: number,
  count: number,
  once: (index: number) => Promise<unknown>,
): Promise<Load> {
  const latenciesMs: number[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      const calledAt = performance.now();
      await once(index);
      latenciesMs.push(performance.now() - calledAt);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  return { elapsedMs: performance.now() - startedAt, latenciesMs };
}
