import type { ObservableMiddleware, RequestContext } from '@kubernetes/client-node';
import {
  type KubernetesNode,
  type KubernetesNodes,
  KubernetesUnavailable,
} from '#core/cluster/kubernetes-nodes';
import type { ApiNode } from './api-node.ts';
import { type KubernetesAccess, loadKubernetes } from './kubernetes-access.ts';
import { describeCallFailure } from './kubernetes-failure.ts';
import { toKubernetesNode } from './to-kubernetes-node.ts';

export interface ApiKubernetesNodesOptions {
  access: KubernetesAccess;
  /** For one `list`, however many calls it takes. */
  timeoutMs: number;
}

const NODES_PER_CALL = 500;
/** Numbers in names by their size: `node2` before `node10`. */
const collator = new Intl.Collator('en', { numeric: true });

/** Nodes by way of Kubernetes' API. */
export class ApiKubernetesNodes implements KubernetesNodes {
  readonly #options: ApiKubernetesNodesOptions;

  constructor(options: ApiKubernetesNodesOptions) {
    this.#options = options;
  }

  async list(): Promise<KubernetesNode[]> {
    const { timeoutMs } = this.#options;
    // Loaded where a cluster is configured only: it takes 90 MB.
    const { KubeConfig, CoreV1Api, Observable } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    const { server } = loadKubernetes(this.#options.access, config);
    const deadline = AbortSignal.timeout(timeoutMs);
    const connections: Connections = new Set();
    const middleware: ObservableMiddleware = {
      pre: (context) => {
        context.setSignal(deadline);
        connections.add(context.getDispatcher());
        return new Observable(Promise.resolve(context));
      },
      post: (context) => new Observable(Promise.resolve(context)),
    };
    try {
      const api = config.makeApiClient(CoreV1Api);
      const nodes = await Promise.race([
        listAll((page) =>
          api.listNode(page, { middleware: [middleware], middlewareMergeStrategy: 'append' }),
        ),
        // A program that the kubeconfig names may hang as well, before any call is made.
        overdue(deadline),
      ]);
      return nodes.map(toKubernetesNode).sort((a, b) => collator.compare(a.name, b.name));
    } catch (error) {
      if (!deadline.aborted) throw describeCallFailure(server, error);
      throw new KubernetesUnavailable(`The API server ${server} has not answered within ${timeoutMs} ms`, {
        cause: error,
      });
    } finally {
      // The client makes connections anew for each call, and closes none.
      for (const connection of connections) await connection?.destroy();
    }
  }
}

type Connections = Set<ReturnType<RequestContext['getDispatcher']>>;

interface Page {
  items: ApiNode[];
  metadata?: { _continue?: string };
}

async function listAll(
  call: (page: { limit: number; _continue?: string }) => Promise<Page>,
): Promise<ApiNode[]> {
  const nodes: ApiNode[] = [];
  let from: string | undefined;
  do {
    const page = await call({ limit: NODES_PER_CALL, ...(from ? { _continue: from } : {}) });
    nodes.push(...page.items);
    from = page.metadata?._continue;
  } while (from);
  return nodes;
}

function overdue(deadline: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    deadline.addEventListener('abort', () => reject(new Error('overdue')), { once: true });
  });
}
