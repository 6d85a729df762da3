import type { ServiceOperation } from '../operations/operation.ts';
import { StepProblem } from '../operations/step-problem.ts';
import type { StepEnd, TrackedOperation } from '../operations/tracked-operation.ts';
import type { CatalogEntry } from './catalog/catalog-entry.ts';
import { checkCluster } from './check-cluster.ts';
import { known } from './known.ts';
import { mirrorImages } from './mirror/mirror-images.ts';
import { type AppliedPart, sealWanted } from './service.ts';
import { ServiceReleases } from './service-releases.ts';
import { applyStep, checkStep, planStep, readyStep, STEP } from './service-steps.ts';
import type { ServiceRunPorts, ServiceWork } from './service-work.ts';
import { undoService } from './undo-service.ts';
import { uninstallService } from './uninstall-service.ts';

/** Why all is undone. Once it stands, nothing else is done any more. */
const UNDO_NOTE = 'undo';

/** The releases of one service, brought to where an operation wants them. */
export class ServiceRun {
  readonly #ports: ServiceRunPorts;
  readonly #tracked: TrackedOperation<ServiceOperation>;
  readonly #entry: CatalogEntry;
  readonly #work: ServiceWork;
  readonly #each: ServiceReleases;

  constructor(
    ports: ServiceRunPorts,
    tracked: TrackedOperation<ServiceOperation>,
    entry: CatalogEntry,
    work: ServiceWork,
  ) {
    this.#ports = ports;
    this.#tracked = tracked;
    this.#entry = entry;
    this.#work = work;
    this.#each = new ServiceReleases(ports, tracked, entry, work);
  }

  async steps(): Promise<void> {
    switch (this.#tracked.operation.kind) {
      case 'plan':
        await this.#step(STEP.cluster, () =>
          checkCluster(this.#ports, this.#tracked, this.#entry, this.#work),
        );
        for (const part of this.#work.parts)
          await this.#step(planStep(part.release), () => this.#each.planned(part));
        return;
      case 'install':
      case 'upgrade':
      case 'rollback':
        return this.#change();
      case 'check':
        for (const release of this.#work.known)
          await this.#step(checkStep(release), () => this.#each.check(release));
        return;
      case 'recover':
        return this.#step(STEP.recover, () => this.#each.recover(this.#releases()));
      case 'uninstall':
        return uninstallService(this.#ports, this.#tracked, this.#each, {
          ...{ work: this.#work, timeoutMs: this.#entry.timeoutMs },
        });
      case 'mirror':
        return mirrorImages(this.#ports, this.#tracked, this.#entry.namespace);
    }
  }

  async #change(): Promise<void> {
    const reason = this.#tracked.note(UNDO_NOTE);
    if (reason !== undefined) return this.#undo(reason);
    const { services, clock } = this.#ports;
    await this.#step(STEP.cluster, () => checkCluster(this.#ports, this.#tracked, this.#entry, this.#work));
    await services.ensure(this.#tracked.operation.subject, clock.now());
    await this.#step(STEP.recover, () => this.#each.recover(this.#releases()));
    if (this.#tracked.operation.kind !== 'rollback')
      await this.#step(STEP.namespace, () => this.#namespace());
    try {
      for (const part of this.#work.parts) {
        await this.#step(applyStep(part.release), () => this.#each.apply(part));
        await this.#step(readyStep(part.release), () => this.#each.ready(part.release));
      }
    } catch (error) {
      if (!(error instanceof StepProblem) || error.passing) throw error;
      await this.#tracked.keepNote(UNDO_NOTE, error.message);
      return this.#undo(error.message);
    }
    await this.#step(STEP.undo, async () => ({ state: 'unchanged', detail: 'nothing has failed' }));
    await this.#record();
    for (const release of this.#dropped()) await this.#removeRelease(release);
  }

  #undo(reason: string): Promise<never> {
    return undoService(this.#ports, this.#tracked, this.#each, this.#work, reason);
  }

  async #namespace(): Promise<StepEnd> {
    const { namespace, namespaceLabels } = this.#entry;
    known(await this.#ports.objects.ensureNamespace(namespace, namespaceLabels));
    return { state: 'unchanged', detail: namespace };
  }

  /** Releases that the service had and is not to have any more, the last first. */
  #dropped(): string[] {
    const kept = new Set(this.#work.parts.map(({ release }) => release));
    return this.#work.known.filter((release) => !kept.has(release)).toReversed();
  }

  async #removeRelease(release: string): Promise<void> {
    await this.#tracked.say(`"${release}" is not part of it any more, and is uninstalled.\n`);
    await this.#each.helm((limits) => this.#ports.helm.uninstall(this.#each.named(release), limits));
  }

  /** Keeps what the service is now. */
  async #record(): Promise<void> {
    const { services, secrets, clock } = this.#ports;
    const { id, subject, kind, parameters } = this.#tracked.operation;
    const parts: AppliedPart[] = [];
    for (const { release } of this.#work.parts) {
      const named = this.#each.named(release);
      const { revision, chart } = known(await this.#ports.helm.find(named));
      const manifest = known(await this.#ports.helm.manifest(named));
      const objects = known(await this.#ports.objects.objectsOf(named, manifest));
      parts.push({ release, namespace: named.namespace, helmRevision: revision, chart, objects });
    }
    await services.addRevision(subject, {
      operationId: id,
      kind: kind === 'install' || kind === 'rollback' ? kind : 'upgrade',
      reason: parameters.reason,
      at: clock.now(),
      sealedWanted: sealWanted(subject, this.#work.wanted ?? { settings: {}, values: {} }, secrets),
      parts,
    });
  }

  #releases(): string[] {
    return [...new Set([...this.#work.parts.map(({ release }) => release), ...this.#work.known])];
  }

  #step(name: string, work: () => Promise<StepEnd>): Promise<void> {
    return this.#tracked.progressOf(name, work);
  }
}
