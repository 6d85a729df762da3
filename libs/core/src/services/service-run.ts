import type { ServiceOperation } from '../operations/operation.ts';
import { StepProblem } from '../operations/step-problem.ts';
import type { StepEnd, TrackedOperation, TrackedOperationPorts } from '../operations/tracked-operation.ts';
import type { Answer } from '../vocabulary/answer.ts';
import { addressProblems } from './catalog/address-problems.ts';
import type { CatalogEntry, PartValues } from './catalog/catalog-entry.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { ServiceSite } from './catalog/service-site.ts';
import type { SecretBox } from '../nodes/secret-box.ts';
import { type BoardPages, unmetConstraints } from './catalog/constraints.ts';
import { countChanges, describeChanges, nameOf, obstacles } from './describe-changes.ts';
import { isHalfWay, wasDeployed } from './helm-recovery.ts';
import type { ApplyOptions, HelmOutcome, Release, ReleaseName } from './helm-releases.ts';
import { withoutSecrets } from './hide-secrets.ts';
import { mirrorImages } from './mirror/mirror-images.ts';
import { objectsManifest } from './objects-manifest.ts';
import {
  type AppliedPart,
  openWanted,
  sealWanted,
  type Service,
  type ServiceRevision,
  type WantedService,
} from './service.ts';
import type { ServiceCluster } from './service-cluster.ts';
import type { ServiceStore } from './service-store.ts';
import type { ObjectChange } from './service-objects.ts';
import { applyStep, checkStep, planStep, readyStep, removeStep, STEP } from './service-steps.ts';
import { untilReady } from './watch-release.ts';

/** Helm's number of the revision that was there before this operation; `none` where there was none. */
const beforeNote = (release: string): string => `before:${release}`;
const NONE = 'none';
/** Helm's number of the revision that this operation has made. */
const appliedNote = (release: string): string => `applied:${release}`;
/** How Helm says that the API server does not know the kind of an object. */
const NO_KIND = 'no matches for kind';
/** What a release leaves behind, in words. */
const leftNote = (release: string): string => `left:${release}`;
/** Names of what a release had, as a manifest. */
const goingNote = (release: string): string => `going:${release}`;
const LOOK_MS = 1_000;
/** Why all is undone. Once it stands, nothing else is done any more. */
const UNDO_NOTE = 'undo';

export interface ServiceRunPorts extends ServiceCluster, TrackedOperationPorts {
  services: ServiceStore;
  catalog: Catalog;
  secrets: SecretBox;
  site: () => Promise<ServiceSite>;
  /** Page sizes of boards, which may be nodes of Kubernetes as well. */
  boardPages: () => Promise<BoardPages[]>;
}

/** What an operation works on, as it is known when a run begins. */
export interface ServiceWork {
  /** Releases that the service is to have, in the order of installation; empty where it is to go. */
  parts: PartValues[];
  /** Why what is wanted cannot be: the catalogue has changed since it was stored. */
  invalid: string | null;
  /** What was asked for; null where nothing is. */
  wanted: WantedService | null;
  /** The revision that is gone back to. */
  target: ServiceRevision | null;
  /** The revision that the service is in. */
  current: ServiceRevision | null;
  /** Releases that may be there, in the order of installation. */
  known: string[];
  /** Secrets of what it is and of what it is to be, to strike them out. */
  secrets: string[];
}

/** The releases of one service, brought to where an operation wants them. */
export class ServiceRun {
  readonly #ports: ServiceRunPorts;
  readonly #tracked: TrackedOperation<ServiceOperation>;
  readonly #entry: CatalogEntry;
  readonly #work: ServiceWork;

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
  }

  async steps(): Promise<void> {
    switch (this.#tracked.operation.kind) {
      case 'plan':
        await this.#step(STEP.cluster, () => this.#cluster());
        for (const part of this.#work.parts)
          await this.#step(planStep(part.release), () => this.#planned(part));
        return;
      case 'install':
      case 'upgrade':
      case 'rollback':
        return this.#change();
      case 'check':
        for (const release of this.#work.known)
          await this.#step(checkStep(release), () => this.#checked(release));
        return;
      case 'recover':
        return this.#step(STEP.recover, () => this.#recover());
      case 'uninstall':
        return this.#uninstall();
      case 'mirror':
        return mirrorImages(this.#ports, this.#tracked, this.#entry.namespace);
    }
  }

  async #change(): Promise<void> {
    const reason = this.#tracked.note(UNDO_NOTE);
    if (reason !== undefined) return this.#undo(reason);
    const { services, clock } = this.#ports;
    await this.#step(STEP.cluster, () => this.#cluster());
    await services.ensure(this.#tracked.operation.subject, clock.now());
    await this.#step(STEP.recover, () => this.#recover());
    if (this.#tracked.operation.kind !== 'rollback')
      await this.#step(STEP.namespace, () => this.#namespace());
    try {
      for (const part of this.#work.parts) {
        await this.#step(applyStep(part.release), () => this.#apply(part));
        await this.#step(readyStep(part.release), () => this.#ready(part.release));
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

  /** What the cluster lacks is told before anything is sent there. */
  async #cluster(): Promise<StepEnd> {
    if (this.#work.invalid !== null) throw new StepProblem(this.#work.invalid);
    const capabilities = known(await this.#ports.objects.capabilities());
    const asked = [
      this.#entry.constraints,
      ...this.#work.parts.flatMap(({ constraints }) => constraints ?? []),
    ];
    const unmet = unmetConstraints(asked, capabilities, await this.#ports.boardPages());
    const { name } = this.#entry;
    const dependsOn = this.#tracked.operation.parameters.force ? [] : this.#entry.dependsOn;
    const present = await this.#ports.services.list();
    const installed = present.filter(({ current }) => current !== null);
    const missing = dependsOn.filter((needed) => !installed.some((one) => one.name === needed));
    const problems = [
      ...unmet.filter(({ blocking }) => blocking).map(({ message }) => `It ${message}.`),
      ...(missing.length === 0 ? [] : [`It needs ${missing.join(' and ')}; install that first.`]),
      ...(await this.#addressClashes(installed)),
    ];
    if (problems.length > 0) throw new StepProblem(problems.join('\n'));
    for (const { message } of unmet) await this.#tracked.say(`"${name}" ${message}.\n`);
    return {
      state: 'unchanged',
      detail: `Kubernetes ${capabilities.version}, ${capabilities.nodes.length} nodes`,
    };
  }

  /** Addresses that this service would take from others. */
  async #addressClashes(installed: readonly Service[]): Promise<string[]> {
    const { catalog, secrets } = this.#ports;
    const site = await this.#ports.site();
    const others = installed.flatMap(({ name, current }) => {
      const entry = catalog.find(name);
      if (entry === undefined || current === null || name === this.#entry.name) return [];
      const { settings } = openWanted(name, current.sealedWanted, secrets);
      return [{ entry, settings: catalog.settingsOf(entry, settings, site) }];
    });
    const settings = catalog.settingsOf(this.#entry, this.#work.wanted?.settings ?? {}, site);
    return addressProblems([...others, { entry: this.#entry, settings }], site)
      .filter(({ users }) => users.some((user) => user.startsWith(`${this.#entry.name}.`)))
      .map(({ message }) => `${message}.`);
  }

  /** A worker that was killed may have left a release in a state in which Helm refuses everything. */
  async #recover(): Promise<StepEnd> {
    const mended: string[] = [];
    for (const release of this.#releases()) {
      const outcome = await this.#helm((limits) => this.#ports.helm.recover(this.#named(release), limits));
      if (outcome.kind === 'rolled_back') mended.push(`"${release}" was rolled back to ${outcome.to}`);
      if (outcome.kind === 'uninstalled') mended.push(`"${release}" was half-way, and is uninstalled`);
    }
    return mended.length === 0
      ? { state: 'unchanged', detail: 'nothing was left half-way' }
      : { state: 'applied', detail: mended.join('; ') };
  }

  async #namespace(): Promise<StepEnd> {
    const { namespace, namespaceLabels } = this.#entry;
    known(await this.#ports.objects.ensureNamespace(namespace, namespaceLabels));
    return { state: 'unchanged', detail: namespace };
  }

  /** @returns what applying the part would change */
  async #plan(part: PartValues): Promise<ObjectChange[]> {
    const release = this.#named(part.release);
    const options = this.#applyOptions(part);
    const manifest = await this.#helm((limits) =>
      this.#ports.helm.render(release, { ...options, ...limits, withSecrets: true }),
    );
    const before = await this.#ports.helm.manifest(release);
    if (before.kind === 'unknown') throw new StepProblem(before.because, { passing: true });
    return known(
      await this.#ports.objects.diff(release, manifest, before.kind === 'present' ? before.value : '', {
        forceConflicts: options.forceConflicts ?? false,
      }),
    );
  }

  /**
   * What applying the part would change, told to those who watch.
   * @returns undefined where that cannot be known: kinds that come with it, or with the release before, are not there yet
   * @throws StepProblem where something cannot be applied
   */
  async #told(part: PartValues): Promise<ObjectChange[] | undefined> {
    let changes: ObjectChange[];
    try {
      changes = await this.#plan(part);
    } catch (error) {
      if (error instanceof StepProblem && error.message.includes(NO_KIND)) return undefined;
      throw error;
    }
    await this.#tracked.say(withoutSecrets(describeChanges(changes), this.#work.secrets));
    refuse(changes);
    return changes;
  }

  async #planned(part: PartValues): Promise<StepEnd> {
    const changes = await this.#told(part);
    if (changes === undefined) return { state: 'differs', detail: 'known once its kinds are there' };
    return { state: changes.length === 0 ? 'unchanged' : 'differs', detail: countChanges(changes) };
  }

  async #apply(part: PartValues): Promise<StepEnd> {
    const { helm } = this.#ports;
    const release = this.#named(part.release);
    if (this.#tracked.note(appliedNote(part.release)) !== undefined)
      return { state: 'applied', detail: 'by the worker before' };
    const deployed = await this.#deployed(release);
    await this.#keepOnce(beforeNote(part.release), String(deployed?.revision ?? NONE));
    const target = this.#work.target?.parts.find((one) => one.release === part.release);
    if (target !== undefined) return this.#rollBackTo(part.release, target.helmRevision);
    const changes = await this.#told(part);
    if (changes?.length === 0 && deployed !== undefined && isSameChart(part, deployed)) {
      await this.#keepOnce(appliedNote(part.release), String(deployed.revision));
      return { state: 'unchanged', detail: `revision ${deployed.revision} of ${deployed.chart}` };
    }
    await this.#tracked.progress(applyStep(part.release), {
      state: 'applying',
      detail: changes === undefined ? null : countChanges(changes),
    });
    const reason = this.#tracked.operation.parameters.reason;
    const applied = await this.#helm((limits) =>
      helm.apply(release, {
        ...this.#applyOptions(part),
        ...limits,
        ...(reason === null ? {} : { description: reason }),
      }),
    );
    await this.#keepOnce(appliedNote(part.release), String(applied.revision));
    return { state: 'applied', detail: `revision ${applied.revision} of ${applied.chart}` };
  }

  async #rollBackTo(name: string, revision: number): Promise<StepEnd> {
    const release = this.#named(name);
    const history = await this.#history(release);
    if (!history.some((one) => one.revision === revision)) {
      throw new StepProblem(
        `Helm has not kept revision ${revision} of "${name}" any more; upgrade with the settings of then.`,
      );
    }
    await this.#tracked.progress(applyStep(name), {
      state: 'applying',
      detail: `back to revision ${revision}`,
    });
    const rolledBack = await this.#helm((limits) => this.#ports.helm.rollBack(release, revision, limits));
    await this.#keepOnce(appliedNote(name), String(rolledBack.revision));
    return {
      state: 'applied',
      detail: `revision ${rolledBack.revision} of ${rolledBack.chart}, which is as revision ${revision} was`,
    };
  }

  async #ready(name: string): Promise<StepEnd> {
    const release = this.#named(name);
    const manifest = known(await this.#ports.helm.manifest(release));
    const detail = await untilReady(
      {
        objects: this.#ports.objects,
        now: () => this.#ports.clock.now(),
        pause: (ms) => this.#tracked.pause(ms),
        progress: (text) => this.#tracked.progress(readyStep(name), { state: 'applying', detail: text }),
        say: (text) => this.#tracked.say(text),
      },
      release,
      manifest,
      this.#entry.timeoutMs,
    );
    return { state: 'unchanged', detail };
  }

  async #checked(name: string): Promise<StepEnd> {
    const release = this.#named(name);
    const manifest = await this.#ports.helm.manifest(release);
    if (manifest.kind === 'absent') return { state: 'differs', detail: 'the release is gone' };
    const drift = known(await this.#ports.objects.drift(release, known(manifest)));
    await this.#tracked.say(withoutSecrets(describeChanges(drift), this.#work.secrets));
    return drift.length === 0
      ? { state: 'unchanged', detail: 'as it was applied' }
      : { state: 'differs', detail: drift.map(({ object }) => nameOf(object)).join(', ') };
  }

  /** Goes back to where everything was before this operation, the last first. */
  async #undo(reason: string): Promise<void> {
    const { parameters } = this.#tracked.operation;
    let outcome = 'what was applied stays';
    await this.#step(STEP.undo, async () => {
      if (parameters.keepFailed) return { state: 'unchanged', detail: outcome };
      const undone: string[] = [];
      for (const { release } of this.#work.parts.toReversed()) {
        const told = await this.#undoRelease(release);
        if (told !== undefined) undone.push(told);
      }
      outcome = undone.length === 0 ? 'nothing was changed' : undone.join('; ');
      return { state: undone.length === 0 ? 'unchanged' : 'applied', detail: outcome };
    });
    throw new StepProblem(`${reason}\nAfter this, ${outcome}.`);
  }

  async #undoRelease(name: string): Promise<string | undefined> {
    const before = this.#tracked.note(beforeNote(name));
    if (before === undefined) return undefined;
    const release = this.#named(name);
    await this.#helm((limits) => this.#ports.helm.recover(release, limits));
    const newest = (await this.#history(release)).at(-1);
    if (newest === undefined) return before === NONE ? `"${name}" was uninstalled` : undefined;
    if (before === NONE) {
      await this.#helm((limits) => this.#ports.helm.uninstall(release, limits));
      return `"${name}" was uninstalled`;
    }
    const isThere = newest.state === 'deployed' && !isHalfWay(newest) && this.#isBefore(newest, before);
    if (!isThere) await this.#helm((limits) => this.#ports.helm.rollBack(release, Number(before), limits));
    const manifest = await this.#ports.helm.manifest(release);
    if (manifest.kind === 'present') await this.#ports.objects.removeStuckPods(release, manifest.value);
    return newest.revision === Number(before) ? undefined : `"${name}" was rolled back to revision ${before}`;
  }

  /** Also a rollback to that revision is it. */
  #isBefore({ revision, description }: Release, before: string): boolean {
    return String(revision) === before || description === `Rollback to ${before}`;
  }

  async #uninstall(): Promise<void> {
    const { services, objects, catalog } = this.#ports;
    const { subject, parameters } = this.#tracked.operation;
    await this.#step(STEP.dependents, async () => {
      const installed = await services.list();
      const dependents = installed
        .map(({ name }) => name)
        .filter((name) => catalog.find(name)?.dependsOn.includes(subject) === true);
      if (dependents.length > 0 && !parameters.force)
        throw new StepProblem(
          `${dependents.join(' and ')} depend on it; uninstall that first, or use force.`,
        );
      return { state: 'unchanged', detail: dependents.length === 0 ? 'none' : dependents.join(', ') };
    });
    await this.#step(STEP.recover, () => this.#recover());
    for (const release of this.#work.known.toReversed()) {
      const named = this.#named(release);
      const manifest = await this.#ports.helm.manifest(named);
      if (manifest.kind === 'present') {
        const left = await objects.leftovers(named, manifest.value);
        if (left.kind === 'present')
          await this.#keepOnce(leftNote(release), left.value.map(nameOf).join(', '));
        await this.#keepOnce(
          goingNote(release),
          objectsManifest(known(await objects.objectsOf(named, manifest.value))),
        );
      }
      await this.#step(removeStep(release), () => this.#remove(release));
    }
    await this.#step(STEP.leftovers, async () => {
      const left = this.#work.known
        .map((release) => this.#tracked.note(leftNote(release)) ?? '')
        .filter((text) => text !== '');
      return { state: 'unchanged', detail: left.length === 0 ? 'nothing' : left.join(', ') };
    });
    await services.remove(subject);
  }

  async #remove(name: string): Promise<StepEnd> {
    const release = this.#named(name);
    const found = await this.#ports.helm.find(release);
    if (found.kind === 'unknown') throw new StepProblem(found.because, { passing: true });
    if (found.kind === 'present') {
      await this.#tracked.progress(removeStep(name), { state: 'applying' });
      await this.#helm((limits) => this.#ports.helm.uninstall(release, limits));
    }
    await this.#untilGone(name);
    return found.kind === 'present'
      ? { state: 'applied', detail: `${found.value.chart} was uninstalled` }
      : { state: 'unchanged', detail: 'it is not there' };
  }

  /** Waits for objects that are on their way out: an installation right after this one would meet them. */
  async #untilGone(name: string): Promise<void> {
    const manifest = this.#tracked.note(goingNote(name));
    if (manifest === undefined) return;
    const { objects, clock } = this.#ports;
    const deadline = clock.now().getTime() + this.#entry.timeoutMs;
    for (;;) {
      const left = known(await objects.remaining(this.#named(name), manifest));
      if (left.length === 0) return;
      if (clock.now().getTime() >= deadline) {
        throw new StepProblem(
          `They were deleted, and are still there: ${left.map(nameOf).join(', ')}. Something has not taken its finalizers away.`,
        );
      }
      await this.#tracked.progress(removeStep(name), { detail: `waits for ${left.map(nameOf).join(', ')}` });
      await this.#tracked.pause(LOOK_MS);
    }
  }

  /** Releases that the service had and is not to have any more, the last first. */
  #dropped(): string[] {
    const kept = new Set(this.#work.parts.map(({ release }) => release));
    return this.#work.known.filter((release) => !kept.has(release)).toReversed();
  }

  async #removeRelease(release: string): Promise<void> {
    await this.#tracked.say(`"${release}" is not part of it any more, and is uninstalled.\n`);
    await this.#helm((limits) => this.#ports.helm.uninstall(this.#named(release), limits));
  }

  /** Keeps what the service is now. */
  async #record(): Promise<void> {
    const { services, secrets, clock } = this.#ports;
    const { id, subject, kind, parameters } = this.#tracked.operation;
    const parts: AppliedPart[] = [];
    for (const { release } of this.#work.parts) {
      const named = this.#named(release);
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

  #named(name: string): ReleaseName {
    return { name, namespace: this.#entry.namespace };
  }

  #applyOptions({ chart, values }: PartValues): Omit<ApplyOptions, 'timeoutMs'> {
    const { parameters } = this.#tracked.operation;
    return {
      chart,
      values,
      secrets: this.#work.secrets,
      forceConflicts: parameters.force || this.#entry.forceConflicts,
    };
  }

  /** The revision that the cluster has; undefined where there is none. */
  async #deployed(release: ReleaseName): Promise<Release | undefined> {
    return (await this.#history(release)).findLast(wasDeployed);
  }

  async #history(release: ReleaseName): Promise<Release[]> {
    const history = await this.#ports.helm.history(release);
    return history.kind === 'absent' ? [] : known(history);
  }

  /** Runs Helm, and ends it where the operation is to be cancelled. */
  async #helm<T>(
    run: (limits: { timeoutMs: number; signal: AbortSignal }) => Promise<HelmOutcome<T>>,
  ): Promise<T> {
    const { timeoutMs } = this.#entry;
    const outcome = await this.#tracked.unlessCancelled((signal) => run({ timeoutMs, signal }));
    if (outcome.kind === 'done') return outcome.value;
    if (outcome.kind === 'ended') throw new StepProblem(outcome.because);
    throw new StepProblem(outcome.message, { passing: outcome.code === 'unreachable' });
  }

  async #keepOnce(name: string, value: string): Promise<void> {
    if (this.#tracked.note(name) === undefined) await this.#tracked.keepNote(name, value);
  }

  #step(name: string, work: () => Promise<StepEnd>): Promise<void> {
    return this.#tracked.progressOf(name, work);
  }
}

/** @throws StepProblem, passing, where it could not be asked */
function known<T>(answer: Answer<T>): T {
  if (answer.kind === 'present') return answer.value;
  if (answer.kind === 'unknown') throw new StepProblem(answer.because, { passing: true });
  throw new StepProblem('Somebody else has removed it meanwhile.');
}

/** @throws StepProblem where something cannot be applied */
function refuse(changes: readonly ObjectChange[]): void {
  const inTheWay = obstacles(changes);
  if (inTheWay.length === 0) return;
  const told = inTheWay.map(({ object, message }) => `${nameOf(object)}: ${message ?? ''}`);
  throw new StepProblem(told.join('\n'));
}

/** Charts of ours have their version in the release alone, and what they send tells whether they differ. */
const isSameChart = ({ chart }: PartValues, { chart: deployed }: Release): boolean =>
  chart.kind === 'own' ||
  deployed.endsWith(`-${chart.version.replace(/^v/, '')}`) ||
  deployed.endsWith(`-${chart.version}`);
