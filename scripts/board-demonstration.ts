import { join } from 'node:path';
import type { Bramble, Enrolment, Operation } from '@bramble/sdk';
import type { Board } from '../test/lab/boards/boards-lab.ts';
import { CHECKOUT } from './installation.ts';

// What the demonstrations do with boards through the SDK, as an admin would.

export type Note = (line: string) => void;

/** @param shared what a storage board offers; left out, the board computes */
export function enrolmentOf(
  { address, password, hostKeyFingerprint: hostKey }: Board,
  name: string,
  shared?: { label: string; at: string },
): Enrolment {
  const sign = { name, address, signIn: { password, hostKey } };
  if (shared === undefined) return { ...sign, roles: ['compute'] };
  const partitions = [{ label: shared.label, mountedAt: shared.at }];
  return { ...sign, roles: ['storage'], storage: { packageCache: false, partitions } };
}

/** Enrols a board, or applies what differs where it is enrolled, and shows each step when it has ended. */
export async function enrol(bramble: Bramble, wanted: Enrolment, note: Note): Promise<void> {
  const { boards } = bramble.admin;
  const isKnown = (await boards.list()).some(({ name }) => name === wanted.name);
  const begun = isKnown ? await boards.apply(wanted.name) : await boards.enroll(wanted);
  const shown = new Set<string>();
  let last: Operation = begun;
  for await (const operation of boards.watch(begun.id)) {
    last = operation;
    for (const { name, state, detail, startedAt, endedAt } of operation.steps) {
      if (endedAt === null || startedAt === null || shown.has(name)) continue;
      shown.add(name);
      const seconds = ((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(1);
      note(`${wanted.name}  ${name.padEnd(16)} ${state.padEnd(9)} ${seconds.padStart(6)} s  ${detail ?? ''}`);
    }
  }
  if (last.state !== 'done') throw new Error(`${wanted.name}: ${last.reason?.message ?? last.state}`);
}

/** Computes pi over these nodes, two tasks each. @throws Error where one of them did not answer */
export async function computePi(
  bramble: Bramble,
  nodes: readonly string[],
  note: Note,
  constraint?: string,
): Promise<void> {
  const { fileFrom } = await import('@bramble/sdk');
  const startedAt = Date.now();
  const job = await bramble.jobs.submit({
    name: 'pi',
    mpi: { source: await fileFrom(join(CHECKOUT, 'examples', 'pi.c')) },
    ...{ nodes: nodes.length, tasksPerNode: 2, timeLimit: '10m' },
    ...(constraint === undefined ? {} : { constraint }),
  });
  const lines: string[] = [];
  for await (const { text } of job.logs({ follow: true })) {
    lines.push(text);
    note(`| ${text}`);
  }
  const done = await job.wait();
  const silent = nodes.filter((name) => !lines.some((line) => line.endsWith(`on ${name}`)));
  if (done.data.state !== 'completed' || silent.length > 0)
    throw new Error(
      `the job ended ${done.data.state}; no rank answered from ${silent.join(', ') || 'nowhere'}`,
    );
  note(`${done.data.state} after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}
