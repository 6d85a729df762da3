import { Gauge, type Registry } from 'prom-client';
import { type ObservedCluster, type SlurmNode, toClusterResource } from '#core/cluster/cluster';

const BYTES_PER_MEBIBYTE = 1024 ** 2;
/** Shown with 0 where no node has them: an alert on a state needs the series before it happens. */
const USUAL_STATES = ['idle', 'mixed', 'allocated', 'draining', 'drained', 'down', 'not_responding'];

/**
 * Slurm as Prometheus sees it. Slurm has metrics of its own from 25.11 on only; these are what the leader's look at nodes
 * and partitions found, so that no exporter asks slurmctld again.
 */
export class SlurmMetrics {
  readonly #nodes;
  readonly #nodeState;
  readonly #partitionCpus;
  readonly #partitionCpusAllocated;
  readonly #jobs;
  readonly #available;
  readonly #cpus;
  readonly #cpusAllocated;
  readonly #memory;
  readonly #memoryAllocated;
  readonly #observedAt;
  readonly #byLabel: readonly { reset(): void }[];
  readonly #plain: readonly { remove(): void }[];

  /** @param registry of the worker */
  constructor(registry: Registry) {
    const gauge = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
      new Gauge<Label>({ name: `bramble_slurm_${name}`, help, labelNames, registers: [registry] });
    this.#nodes = gauge('nodes', 'Nodes by state.', ['state']);
    this.#nodeState = gauge('node_state', '1 for the state that a node is in.', ['node', 'state']);
    this.#partitionCpus = gauge('partition_cpus', 'Processors by partition; a node may be in several.', [
      'partition',
    ]);
    this.#partitionCpusAllocated = gauge(
      'partition_cpus_allocated',
      "Processors of a partition's nodes that jobs have, of whatever partition.",
      ['partition'],
    );
    this.#jobs = gauge('jobs', "Jobs in Slurm, others than Bramble's too.", ['state']);
    this.#available = gauge('nodes_available', 'Nodes that take jobs now or when one ends.');
    this.#cpus = gauge('cpus', 'Processors of all nodes.');
    this.#cpusAllocated = gauge('cpus_allocated', 'Processors that jobs have.');
    this.#memory = gauge('memory_bytes', 'Memory of all nodes that jobs may have.');
    this.#memoryAllocated = gauge('memory_allocated_bytes', 'Memory that jobs have.');
    this.#observedAt = gauge('observed_timestamp_seconds', 'When Slurm gave this answer, since 1970.');
    this.#byLabel = [
      this.#nodes,
      this.#nodeState,
      this.#partitionCpus,
      this.#partitionCpusAllocated,
      this.#jobs,
    ];
    this.#plain = [
      this.#available,
      this.#cpus,
      this.#cpusAllocated,
      this.#memory,
      this.#memoryAllocated,
      this.#observedAt,
    ];
    this.reset();
  }

  set(observed: ObservedCluster): void {
    this.reset();
    const { snapshot, observedAt } = observed;
    const { nodes, cpus, memoryMebibytes } = toClusterResource(observed);
    for (const state of USUAL_STATES) this.#nodes.set({ state }, 0);
    for (const node of snapshot.nodes) {
      const state = stateOf(node);
      this.#nodes.inc({ state });
      this.#nodeState.set({ node: node.name, state }, 1);
    }
    this.#available.set(nodes.available);
    this.#cpus.set(cpus.total);
    this.#cpusAllocated.set(cpus.allocated);
    this.#memory.set(memoryMebibytes.total * BYTES_PER_MEBIBYTE);
    this.#memoryAllocated.set(memoryMebibytes.allocated * BYTES_PER_MEBIBYTE);
    this.#jobs.set({ state: 'pending' }, snapshot.jobsPending);
    this.#jobs.set({ state: 'running' }, snapshot.jobsRunning);
    for (const { name: partition, cpus: total, nodes: members } of snapshot.partitions) {
      const within = new Set(members);
      const allocated = snapshot.nodes
        .filter(({ name }) => within.has(name))
        .reduce((sum, { cpusAllocated }) => sum + cpusAllocated, 0);
      this.#partitionCpus.set({ partition }, total);
      this.#partitionCpusAllocated.set({ partition }, allocated);
    }
    this.#observedAt.set(observedAt.getTime() / 1000);
  }

  /** Shows nothing: for a worker that does not lead, and while Slurm does not answer. */
  reset(): void {
    for (const gauge of this.#byLabel) gauge.reset();
    // Reset, one without labels would show 0.
    for (const gauge of this.#plain) gauge.remove();
  }
}

/** What an admin asks first: does it answer, may it have jobs, has it any. */
function stateOf({ state, flags, cpusAllocated }: SlurmNode): string {
  if (flags.includes('not_responding')) return 'not_responding';
  if (flags.includes('drain')) return cpusAllocated > 0 ? 'draining' : 'drained';
  return state;
}
