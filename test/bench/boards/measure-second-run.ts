import { figure, type ResultTable, times } from '../result-table.ts';
import { median } from '../statistics.ts';
import type { Ansible } from './ansible.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { addedLoad, type BoardLoad, boardLoad, countCommands } from './board-load.ts';
import { allDone, changedSteps } from './operations.ts';
import { PLAN } from './plan.ts';

const WAYS = ['Ansible', 'Ansible, pipelining', 'Bramble'] as const;
type Way = (typeof WAYS)[number];

/** One run over all boards where nothing was to be done. */
export interface SecondRun {
  boards: number;
  round: number;
  way: Way;
  elapsedMs: number;
  /** Of a board, in the middle. */
  load: BoardLoad;
}

/** Each way in turns, several times over; before the first time once without being measured. */
export async function measureSecondRun(
  cluster: BenchCluster,
  ansible: Ansible,
  noNewRoundAfterMs: number,
  log: (line: string) => void,
): Promise<SecondRun[]> {
  const boards = [...cluster.boards.values()];
  const run: Record<Way, () => Promise<number>> = {
    Ansible: async () => (await ansible.play({ pipelining: false })).elapsedMs,
    'Ansible, pipelining': async () => (await ansible.play({ pipelining: true })).elapsedMs,
    Bramble: () => applyToAll(cluster),
  };
  await Promise.all(boards.map(countCommands));
  const { tasks } = await ansible.play({ pipelining: true });
  log(`the playbook agrees: ${tasks} tasks, nothing to be changed`);
  await run.Bramble();

  const runs: SecondRun[] = [];
  const startedAt = performance.now();
  for (let round = 1; round <= PLAN.rounds; round += 1) {
    for (const way of WAYS) {
      const before = await Promise.all(boards.map(boardLoad));
      const elapsedMs = await run[way]();
      const load = addedLoad(before, await Promise.all(boards.map(boardLoad)));
      runs.push({ boards: boards.length, round, way, elapsedMs, load });
      log(`${way}: ${(elapsedMs / 1000).toFixed(1)} s`);
    }
    log(`round ${round} of ${PLAN.rounds} done`);
    if (performance.now() - startedAt > noNewRoundAfterMs) break;
  }
  return runs;
}

/** @throws Error where a step was found otherwise than it is to be */
async function applyToAll({ boards, bramble: { admin } }: BenchCluster): Promise<number> {
  const startedAt = performance.now();
  const operations = await allDone(
    admin,
    [...boards.keys()].map((name) => admin.admin.boards.apply(name)),
  );
  const elapsedMs = performance.now() - startedAt;
  const changed = changedSteps(operations);
  if (changed.length > 0) throw new Error(`there was something to be done: ${changed.join(', ')}`);
  return elapsedMs;
}

export function secondRunTables(runs: readonly SecondRun[]): ResultTable[] {
  const counts = [...new Set(runs.map(({ boards }) => boards))];
  const largest = Math.max(...counts);
  const of = (boards: number, way: Way) => runs.filter((run) => run.boards === boards && run.way === way);
  const ratioTo = (peer: Way, boards: number, way: Way): string =>
    times(
      median(
        of(boards, way).map(({ round, elapsedMs }) => {
          const other = of(boards, peer).find((run) => run.round === round);
          return elapsedMs / (other?.elapsedMs ?? NaN);
        }),
      ),
    );
  return [
    {
      id: 'boards-second-run',
      title: 'Second run, where nothing is to be done',
      textColumns: 2,
      columns: ['boards', 'way', 'runs', 's', 'a board, s', 'time, to Ansible', 'to Ansible, pipelining'],
      rows: counts.flatMap((boards) =>
        WAYS.map((way) => {
          const seconds = median(of(boards, way).map(({ elapsedMs }) => elapsedMs)) / 1000;
          return [
            String(boards),
            way,
            String(of(boards, way).length),
            figure(seconds),
            figure(seconds / boards),
            ratioTo('Ansible', boards, way),
            ratioTo('Ansible, pipelining', boards, way),
          ];
        }),
      ),
    },
    {
      id: 'boards-second-run-cost',
      title: `What it costs one of ${largest} boards`,
      textColumns: 1,
      columns: ['way', 'SSH connections', 'commands over them', 'KiB on the network', 'CPU of the board, s'],
      rows: WAYS.map((way) => {
        const middle = (pick: (load: BoardLoad) => number): number =>
          median(of(largest, way).map(({ load }) => pick(load)));
        return [
          way,
          String(middle(({ connections }) => connections)),
          String(middle(({ commands }) => commands)),
          figure(middle(({ networkBytes }) => networkBytes / 1024)),
          figure(middle(({ cpuSeconds }) => cpuSeconds)),
        ];
      }),
    },
  ];
}
