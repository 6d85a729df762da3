import type { Operation, Bramble } from '@bramble/sdk';

/** Waits until operations are over. @throws Error naming the step where one has failed */
export async function allDone(bramble: Bramble, begun: readonly Promise<Operation>[]): Promise<Operation[]> {
  return Promise.all(begun.map(async (one) => done(bramble, await one)));
}

async function done(bramble: Bramble, begun: Operation): Promise<Operation> {
  let last = begun;
  for await (const operation of bramble.admin.boards.watch(begun.id)) last = operation;
  if (last.state !== 'done')
    throw new Error(
      `${last.subject} is ${last.state}: ${last.reason?.code ?? ''} ${last.reason?.message ?? ''}`,
    );
  return last;
}

/** Names of the steps that were not found as they are to be. */
export const changedSteps = (operations: readonly Operation[]): string[] =>
  operations.flatMap(({ subject, steps }) =>
    steps.filter(({ state }) => state !== 'unchanged').map(({ name }) => `${name} of ${subject}`),
  );
