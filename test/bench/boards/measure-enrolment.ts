import type { Operation } from '@bramble/sdk';
import { figure, type ResultTable } from '../result-table.ts';
import { median } from '../statistics.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { allDone, changedSteps } from './operations.ts';
import { PLAN } from './plan.ts';

/** How long bare boards took to become compute nodes. */
export interface EnrolmentTimes {
  boards: number;
  /** From the first request to the last board's last step. */
  togetherMs: number;
  /** Of each board: from the beginning of its first step to the end of its last. */
  boardsMs: number[];
  /** Of each board, by step. */
  steps: Map<string, number[]>;
}

/** Enrols all boards at once. */
export async function measureEnrolment(cluster: BenchCluster): Promise<EnrolmentTimes> {
  const { admin } = cluster.bramble;
  const startedAt = performance.now();
  const operations = await allDone(
    admin,
    [...cluster.boards].map(([name, { address, password, hostKeyFingerprint: hostKey }]) =>
      admin.admin.boards.enroll({ name, address, roles: ['compute'], signIn: { password, hostKey } }),
    ),
  );
  const togetherMs = performance.now() - startedAt;
  const steps = new Map<string, number[]>();
  for (const { name, ms } of operations.flatMap(stepTimes)) steps.set(name, [...(steps.get(name) ?? []), ms]);
  return {
    boards: operations.length,
    togetherMs,
    boardsMs: operations.map(({ startedAt: from, endedAt: to }) => between(from, to)),
    steps,
  };
}

/** A board that came first may not have the last ones in its hosts file: once more, until nothing differs. */
export async function settle(cluster: BenchCluster): Promise<void> {
  const { admin } = cluster.bramble;
  const apply = () =>
    allDone(
      admin,
      [...cluster.boards.keys()].map((name) => admin.admin.boards.apply(name)),
    );
  await apply();
  const changed = changedSteps(await apply());
  if (changed.length > 0) throw new Error(`enrolled, and still not as they are to be: ${changed.join(', ')}`);
}

const stepTimes = ({ steps }: Operation): { name: string; ms: number }[] =>
  steps.map(({ name, startedAt, endedAt }) => ({ name, ms: between(startedAt, endedAt) }));

function between(from: string | null, to: string | null): number {
  if (from === null || to === null) throw new Error('the operation has no beginning or no end');
  return Date.parse(to) - Date.parse(from);
}

const seconds = (ms: number): string => figure(ms / 1000);

export function enrolmentTables(measured: readonly EnrolmentTimes[]): ResultTable[] {
  const longest = measured.at(-1);
  if (longest === undefined) return [];
  const middle = (times: EnrolmentTimes, step: string): number => median(times.steps.get(step) ?? []);
  const slowest = [...longest.steps.keys()]
    .sort((a, b) => middle(longest, b) - middle(longest, a))
    .slice(0, PLAN.slowestSteps);
  return [
    {
      id: 'boards-enrolment',
      title: 'Bare boards to compute nodes',
      textColumns: 0,
      columns: ['boards at once', 'together, s', 'a board, s', 'together / boards, s'],
      rows: measured.map(({ boards, togetherMs, boardsMs }) => [
        String(boards),
        seconds(togetherMs),
        seconds(median(boardsMs)),
        seconds(togetherMs / boards),
      ]),
    },
    {
      id: 'boards-enrolment-steps',
      title: `The ${slowest.length} slowest steps of a board`,
      textColumns: 1,
      columns: [
        'step',
        ...measured.map(({ boards }) => (boards === 1 ? '1 board, s' : `${boards} boards, s`)),
      ],
      rows: slowest.map((step) => [step, ...measured.map((times) => seconds(middle(times, step)))]),
    },
  ];
}
