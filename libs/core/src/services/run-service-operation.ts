import type { NextLook } from '../jobs/work-on-job.ts';
import { isOver, type ServiceOperation } from '../operations/operation.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import { Problem } from '../vocabulary/problem.ts';
import { StepProblem } from '../operations/step-problem.ts';
import { TrackedOperation } from '../operations/tracked-operation.ts';
import { secretsIn } from './hide-secrets.ts';
import type { PartValues } from './catalog/catalog-entry.ts';
import { openWanted, type ServiceRevision, type WantedService } from './service.ts';
import { ServiceRun } from './service-run.ts';
import type { ServiceRunPorts, ServiceWork } from './service-work.ts';
import { applyStep, serviceSteps } from './service-steps.ts';
import type { ServiceCluster } from './service-cluster.ts';

export interface RunServiceOperationPorts extends Omit<ServiceRunPorts, keyof ServiceCluster> {
  operations: OperationStore;
  /** null where no Kubernetes is configured. */
  cluster: ServiceCluster | null;
}

/**
 * Works on a service, step by step. It may be interrupted anywhere and run again: what is there is asked of the cluster
 * and of Helm, and what has to be known from before, such as the revision to go back to, is kept with the operation.
 */
export class RunServiceOperation {
  readonly #ports: RunServiceOperationPorts;

  constructor(ports: RunServiceOperationPorts) {
    this.#ports = ports;
  }

  async run(operationId: string): Promise<NextLook> {
    const operation = await this.#ports.operations.findOperation(operationId);
    if (operation?.about !== 'service' || isOver(operation.state)) return undefined;
    const work = await this.#work(operation);
    const shown = work.parts.length > 0 ? work.parts : work.known.map((release) => ({ release }));
    const tracked = await TrackedOperation.begin(this.#ports, operation, serviceSteps(operation.kind, shown));
    if (tracked === undefined) return undefined;
    if (tracked === 'again') return { afterMs: 0 };
    const { cluster } = this.#ports;
    if (cluster === null) return tracked.toItsEnd(() => refuse(tracked));
    const entry = this.#ports.catalog.find(operation.subject);
    if (entry === undefined) throw new Error(`"${operation.subject}" is not in the catalogue any more`);
    const run = new ServiceRun({ ...this.#ports, ...cluster }, tracked, entry, work);
    return tracked.toItsEnd(() => run.steps());
  }

  async #work(operation: ServiceOperation): Promise<ServiceWork> {
    const { services, secrets, catalog, site } = this.#ports;
    const { subject, parameters } = operation;
    const service = await services.find(subject);
    const current = service?.current ?? null;
    const target =
      operation.kind === 'rollback'
        ? ((await services.revisions(subject)).find(({ revision }) => revision === parameters.revision) ??
          null)
        : null;
    const sealed = target?.sealedWanted ?? parameters.sealedWanted;
    const wanted = sealed === null ? null : openWanted(subject, sealed, secrets);
    const was = current === null ? null : openWanted(subject, current.sealedWanted, secrets);
    const entry = catalog.find(subject);
    const lab = await site();
    let invalid: string | null = null;
    const partsOf = (one: WantedService | null): PartValues[] => {
      try {
        if (one === null || entry === undefined) return [];
        return catalog.valuesOf(entry, one.settings, one.values, lab);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (one === wanted) invalid = describeFaults(error);
        return [];
      }
    };
    const parts = partsOf(wanted);
    return {
      ...{ wanted, target, current, parts, invalid, known: await this.#known(operation, current) },
      secrets: [wanted, was].flatMap((one) => [
        ...secretsIn(one?.settings ?? {}, entry?.secretSettings),
        ...partsOf(one).flatMap(({ values }) => secretsIn(values)),
      ]),
    };
  }

  /** Also of installations that have come to nothing: their steps tell which releases they began. */
  async #known({ subject }: ServiceOperation, current: ServiceRevision | null): Promise<string[]> {
    const operations = await this.#ports.operations.operationsOf('service', subject, LOOKED_BACK);
    const begun = operations.flatMap(({ steps }) =>
      steps.flatMap(({ name, state }) => {
        const [release] = /(?<=^apply ).+$/.exec(name) ?? [];
        return release !== undefined && name === applyStep(release) && state !== 'waiting' ? [release] : [];
      }),
    );
    return [...new Set([...(current?.parts.map(({ release }) => release) ?? []), ...begun])];
  }
}

const LOOKED_BACK = 20;

const describeFaults = ({ message, faults }: Problem): string =>
  [message, ...faults.map((fault) => `${fault.field}: ${fault.message}`)].join('\n');

/** Ends an operation that nothing can be done about here. */
function refuse(tracked: TrackedOperation<ServiceOperation>): Promise<void> {
  const [first] = tracked.operation.steps;
  return tracked.progressOf(first?.name ?? '', () => {
    throw new StepProblem(
      'The worker has no Kubernetes: set its BRAMBLE_KUBECONFIG, or give its pod a service account with a token.',
    );
  });
}
