import type { Installation } from '../e2e/installation.ts';
import type { SlurmLab } from '../lab/slurm-lab.ts';
import type { Load } from './client-load.ts';
import { PLAN } from './plan.ts';
import { figure, type ResultTable, times } from './result-table.ts';
import { median, percentile } from './statistics.ts';
import {
  allTakenBack,
  brambleWay,
  sbatchWay,
  slurmrestdWay,
  submitOneByOne,
  type SubmitSteps,
  type SubmitWay,
  takeBack,
} from './submit-ways.ts';

/** What the ratios of a round are taken against. */
const PEERS = ['sbatch', 'slurmrestd'] as const;

interface StepsOf extends SubmitSteps {
  clients: string;
  backend: string;
}

interface Cell {
  round: number;
  clients: number;
  way: string;
  perSecond: number;
  p50: number;
  p95: number;
}

/** Submission by each way, in turns, several times over. */
export async function measureSubmit(
  lab: SlurmLab,
  backends: { postgres: Installation; redis: Installation },
  log: (line: string) => void,
): Promise<ResultTable[]> {
  const { rounds, jobs, clients: clientCounts, warmUpJobs, oneByOneJobs, noNewRoundAfterMs } = PLAN.submit;
  const steps: StepsOf[] = [];
  const brambleOn = (backend: string, installation: Installation) =>
    brambleWay(
      { accepted: `Bramble, 202 (${backend})`, inSlurm: `Bramble, in Slurm (${backend})` },
      installation,
      (clients, one) => steps.push({ ...one, backend, clients: String(clients) }),
    );
  const ways = [
    sbatchWay(lab),
    await slurmrestdWay(lab),
    brambleOn('PostgreSQL', backends.postgres),
    brambleOn('Redis', backends.redis),
  ];
  for (const way of ways) await submitAndTakeBack(way, 8, warmUpJobs);
  steps.length = 0;
  for (const [backend, installation] of [
    ['PostgreSQL', backends.postgres],
    ['Redis', backends.redis],
  ] as const) {
    steps.push({ ...(await submitOneByOne(installation, oneByOneJobs)), backend, clients: 'one by one' });
    await takeBack(lab, oneByOneJobs);
    await allTakenBack(installation);
  }

  const cells: Cell[] = [];
  const startedAt = performance.now();
  for (let round = 1; round <= rounds; round += 1) {
    for (const clients of clientCounts) {
      for (const way of ways) {
        const loads = await submitAndTakeBack(way, clients, jobs);
        for (const [name, one] of loads) cells.push({ round, clients, way: name, ...summary(one) });
      }
    }
    log(`round ${round} of ${rounds} done`);
    if (performance.now() - startedAt > noNewRoundAfterMs) break;
  }
  return [submitTable(cells), stepsTable(steps)];

  async function submitAndTakeBack(
    way: SubmitWay,
    clients: number,
    count: number,
  ): Promise<Map<string, Load>> {
    const loads = await way.submit(clients, count);
    await takeBack(lab, count);
    await way.settle();
    return loads;
  }
}

function summary({ elapsedMs, latenciesMs }: Load): Pick<Cell, 'perSecond' | 'p50' | 'p95'> {
  return {
    perSecond: latenciesMs.length / (elapsedMs / 1000),
    p50: median(latenciesMs),
    p95: percentile(latenciesMs, 0.95),
  };
}

function submitTable(cells: readonly Cell[]): ResultTable {
  const kinds = [...new Map(cells.map((cell) => [`${cell.clients} ${cell.way}`, cell])).values()];
  return {
    id: 'submit',
    title: 'Submission',
    textColumns: 2,
    columns: ['clients', 'way', 'jobs/s', 'p50 ms', 'p95 ms', 'jobs/s, to sbatch', 'to slurmrestd'],
    rows: kinds.map(({ clients, way }) => {
      const own = cells.filter((cell) => cell.clients === clients && cell.way === way);
      const ratioTo = (peer: string) =>
        times(
          median(
            own.map(({ round, perSecond }) => {
              const other = cells.find(
                (cell) => cell.round === round && cell.clients === clients && cell.way === peer,
              );
              return perSecond / (other?.perSecond ?? NaN);
            }),
          ),
        );
      return [
        String(clients),
        way,
        figure(median(own.map(({ perSecond }) => perSecond))),
        figure(median(own.map(({ p50 }) => p50))),
        figure(median(own.map(({ p95 }) => p95))),
        ...PEERS.map(ratioTo),
      ];
    }),
  };
}

function stepsTable(steps: readonly StepsOf[]): ResultTable {
  const kinds = [...new Map(steps.map((one) => [`${one.clients} ${one.backend}`, one])).values()];
  return {
    id: 'submit-steps',
    title: 'From accepted to in Slurm: p50 of the whole and of each step, and what one job costs',
    textColumns: 2,
    columns: [
      'clients',
      'queues',
      'together, ms',
      'taken by a worker, ms',
      'run directory made, ms',
      'sbatch, ms',
      'CPU of the api, ms',
      'CPU of the worker, ms',
    ],
    rows: kinds.map(({ clients, backend }) => {
      const own = steps.filter((one) => one.clients === clients && one.backend === backend);
      const middle = (pick: (one: SubmitSteps) => number[]) => figure(median(own.flatMap(pick)));
      return [
        clients,
        backend,
        middle(({ togetherMs }) => togetherMs),
        middle(({ pickedUpMs }) => pickedUpMs),
        middle(({ stagedMs }) => stagedMs),
        middle(({ sbatchMs }) => sbatchMs),
        middle(({ apiCpuMs }) => [apiCpuMs]),
        middle(({ workerCpuMs }) => [workerCpuMs]),
      ];
    }),
  };
}
