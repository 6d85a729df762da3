import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import type { Registry } from 'prom-client';
import { JOB_STATES } from '#core/jobs/job-state';
import { EXPORTER_ARGUMENTS, EXPORTER_FILES } from '#core/nodes/steps/base/node-exporter-files';
import { ApiMetrics, WorkerMetrics } from '#infra/observability/metrics';
import { freePort } from '../lab/free-port.ts';
import { waitUntil } from '../lab/waiting.ts';

/** A Prometheus that has asked Bramble's registries and a node_exporter at least twice. */
export interface ScrapingPrometheus {
  query(expression: string): Promise<Answer>;
  /** Every metric that it has met. */
  names(): Promise<Set<string>>;
  stop(): Promise<void>;
}

export interface Answer {
  /** What is wrong with the expression; undefined where nothing is. */
  error?: string;
  series: number;
}

/** What node_exporter reads of it; this machine may have neither. */
const SYSFS_OF_A_PI = {
  'class/thermal/thermal_zone0/type': 'cpu-thermal',
  'class/thermal/thermal_zone0/policy': 'step_wise',
  'class/thermal/thermal_zone0/temp': '48312',
  'devices/system/cpu/cpu0/cpufreq/scaling_cur_freq': '1500000',
  'devices/system/cpu/cpu0/cpufreq/scaling_driver': 'cpufreq-dt',
  'devices/system/cpu/cpu0/cpufreq/scaling_governor': 'ondemand',
  'devices/system/cpu/cpu0/cpufreq/scaling_available_governors': 'ondemand performance',
  'devices/system/cpu/cpu0/cpufreq/scaling_setspeed': '<unsupported>',
  'devices/system/cpu/cpu0/cpufreq/related_cpus': '0',
};

/** @param directory an empty one */
export async function startPrometheus(directory: string): Promise<ScrapingPrometheus> {
  const [prometheusPort, exporterPort] = [await freePort(), await freePort()];
  const bramble = await serveMetrics();
  const textfiles = join(directory, 'textfiles');
  mkdirSync(textfiles);
  writeFileSync(join(textfiles, 'pi.prom'), piFacts());
  const sysfs = join(directory, 'sys');
  for (const [file, content] of Object.entries(SYSFS_OF_A_PI)) {
    mkdirSync(join(sysfs, dirname(file)), { recursive: true });
    writeFileSync(join(sysfs, file), `${content}\n`);
  }
  const exporter = start('/usr/bin/prometheus-node-exporter', [
    ...EXPORTER_ARGUMENTS.split(' '),
    `--collector.textfile.directory=${textfiles}`,
    `--path.sysfs=${sysfs}`,
    `--web.listen-address=127.0.0.1:${exporterPort}`,
  ]);
  const configuration = join(directory, 'prometheus.yml');
  writeFileSync(configuration, JSON.stringify(scrapeConfiguration(exporterPort, bramble.ports)));
  const prometheus = start('/usr/bin/prometheus', [
    `--config.file=${configuration}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
    '--log.level=warn',
  ]);
  const ask = async (path: string): Promise<PrometheusReply> => {
    const response = await fetch(`http://127.0.0.1:${prometheusPort}/api/v1/${path}`);
    return (await response.json()) as PrometheusReply;
  };
  const query = async (expression: string): Promise<Answer> => {
    const { error, data } = await ask(`query?query=${encodeURIComponent(expression)}`);
    const series = (data as { result?: unknown[] } | undefined)?.result?.length ?? 0;
    return error === undefined ? { series } : { error, series };
  };
  const twice = 'count(count_over_time(up[1m]) >= 2) == 3';
  await waitUntil(
    'Prometheus',
    () =>
      query(twice).then(
        ({ series }) => series === 1,
        () => false,
      ),
    {
      intervalMs: 200,
    },
  );
  return {
    query,
    names: async () => new Set((await ask('label/__name__/values')).data as string[]),
    stop: async () => {
      await Promise.all([prometheus, exporter].map(stop));
      bramble.stop();
    },
  };
}

interface PrometheusReply {
  error?: string;
  data?: unknown;
}

function scrapeConfiguration(exporterPort: number, { api, worker }: { api: number; worker: number }): object {
  const job = (name: string, port: number, instance: string) => ({
    job_name: name,
    static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { instance } }],
  });
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      job('boards', exporterPort, 'node02'),
      job('bramble-api', api, 'api-0'),
      job('bramble-worker', worker, 'worker-0'),
    ],
  };
}

/** What the script on a board writes, for firmware that answers. */
function piFacts(): string {
  const names = EXPORTER_FILES.flatMap(({ content }) => [...content.matchAll(/^ *metric (bramble_\w+)/gm)]);
  return names.map(([, name]) => `${name ?? ''} 0\n`).join('');
}

/** The registries of the api and a leading worker, in which everything has happened once. */
async function serveMetrics() {
  const api = new ApiMetrics({
    countJobs: async () => new Map(JOB_STATES.map((state) => [state, 1])),
    countQueues: async () => [{ queue: 'jobs.submit', depth: 1, oldestSeconds: 2 }],
  });
  const worker = new WorkerMetrics();
  api.observeRequest('GET', '/v1/jobs', 200, 0.01);
  worker.setLeader(true);
  worker.setTracking(1, 0);
  worker.countWork('jobs.submit', 'done');
  worker.observeSubmission('accepted', 0.02);
  worker.observeRpc('squeue', 0.01, true);
  worker.observeRpc('squeue', 10, false);
  worker.setBoards(new Map([['healthy', 2]]));
  const node = {
    name: 'node02',
    address: '10.0.0.102',
    state: 'mixed',
    flags: [],
    reason: null,
    partitions: ['all'],
  };
  worker.slurm.set({
    observedAt: new Date(),
    snapshot: {
      name: 'bramble',
      slurmVersion: '22.05.8',
      nodes: [
        {
          ...node,
          features: [],
          cpus: 4,
          cpusAllocated: 1,
          memoryMebibytes: 1000,
          memoryAllocatedMebibytes: 200,
          architecture: null,
          operatingSystem: null,
          slurmVersion: null,
          bootedAt: null,
        },
      ],
      partitions: [
        {
          name: 'all',
          isDefault: true,
          state: 'up',
          nodes: ['node02'],
          nodeCount: 1,
          cpus: 4,
          maxTimeSeconds: null,
          defaultTimeSeconds: null,
        },
      ],
      jobsPending: 1,
      jobsRunning: 1,
    },
  });
  const servers = [await serve(api.registry), await serve(worker.registry)] as const;
  return {
    ports: { api: portOf(servers[0]), worker: portOf(servers[1]) },
    stop: () => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

async function serve(registry: Registry): Promise<Server> {
  const server = createServer((_, response) => {
    void registry
      .metrics()
      .then((text) => response.setHeader('content-type', registry.contentType).end(text));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): number => (server.address() as { port: number }).port;

function start(command: string, argv: string[]): ChildProcess {
  const child = spawn('/usr/bin/setpriv', ['--pdeathsig=KILL', command, ...argv], { stdio: 'ignore' });
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
