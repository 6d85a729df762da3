import { Boards } from './admin/boards.ts';
import { Discoveries } from './admin/discoveries.ts';
import { Keys } from './admin/keys.ts';
import { Operations } from './admin/operations.ts';
import { Users } from './admin/users.ts';
import type { Cluster } from './api-types.ts';
import { Artifacts } from './artifacts/artifacts.ts';
import { type BrambleOptions, resolveOptions } from './bramble-options.ts';
import { Images } from './cluster/images.ts';
import { Namespaces } from './cluster/namespaces.ts';
import { Nodes } from './cluster/nodes.ts';
import { Partitions } from './cluster/partitions.ts';
import type { CallOptions } from './http/api-request.ts';
import { Transport } from './http/transport.ts';
import { Jobs } from './jobs/jobs.ts';
import type { Platform } from './platform.ts';
import { Services } from './services/services.ts';

/** The client on a given platform; the package's entries each bring theirs. */
export class BrambleClient {
  readonly jobs: Jobs;
  readonly artifacts: Artifacts;
  readonly nodes: Nodes;
  readonly partitions: Partitions;
  readonly services: Services;
  readonly namespaces: Namespaces;
  readonly images: Images;
  readonly admin: {
    readonly users: Users;
    readonly keys: Keys;
    readonly boards: Boards;
    readonly discoveries: Discoveries;
    readonly operations: Operations;
  };
  readonly #transport: Transport;

  /** @throws ConfigurationError */
  constructor(options: BrambleOptions, platform: Platform) {
    const transport = new Transport(resolveOptions(options, (name) => platform.environment(name)));
    this.#transport = transport;
    this.jobs = new Jobs(transport, platform);
    this.artifacts = new Artifacts(transport, platform);
    this.nodes = new Nodes(transport);
    this.partitions = new Partitions(transport);
    this.services = new Services(transport);
    this.namespaces = new Namespaces(transport);
    this.images = new Images(transport);
    this.admin = {
      users: new Users(transport),
      keys: new Keys(transport),
      boards: new Boards(transport),
      discoveries: new Discoveries(transport),
      operations: new Operations(transport),
    };
  }

  /**
   * Capacity and use of the cluster, as Slurm last told it.
   * @throws ServerError `not_ready` where Slurm has not answered yet since Bramble was set up
   */
  cluster({ signal }: CallOptions = {}): Promise<Cluster> {
    return this.#transport.json({ method: 'GET', path: '/v1/cluster', repeatable: true, signal });
  }
}
