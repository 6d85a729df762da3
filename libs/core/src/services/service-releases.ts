import type { ServiceOperation } from '../operations/operation.ts';
import { StepProblem } from '../operations/step-problem.ts';
import type { StepEnd, TrackedOperation } from '../operations/tracked-operation.ts';
import type { CatalogEntry, PartValues } from './catalog/catalog-entry.ts';
import { countChanges, describeChanges, nameOf, obstacles } from './describe-changes.ts';
import { wasDeployed } from './helm-recovery.ts';
import type { ApplyOptions, HelmOutcome, Recovery, Release, ReleaseName } from './helm-releases.ts';
import { withoutSecrets } from './hide-secrets.ts';
import { known } from './known.ts';
import type { ObjectChange } from './service-objects.ts';
import { applyStep, readyStep } from './service-steps.ts';
import type { ServiceRunPorts, ServiceWork } from './service-work.ts';
import { untilReady } from './watch-release.ts';

/** Helm's number of the revision that was there before this operation; {@link NONE} where there was none. */
export const beforeNote = (release: string): string => `before:${release}`;
export const NONE = 'none';
/** Helm's number of the revision that this operation has made. */
const appliedNote = (release: string): string => `applied:${release}`;
/** How Helm says that the API server does not know the kind of an object. */
const NO_KIND = 'no matches for kind';

/** What is done with the releases of one service, one at a time. */
export class ServiceReleases {
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

  /** A worker that was killed may have left a release in a state in which Helm refuses everything. */
  async recover(releases: readonly string[]): Promise<StepEnd> {
    const mended: string[] = [];
    for (const release of releases) {
      const outcome = await this.mend(release);
      if (outcome.kind === 'rolled_back') mended.push(`"${release}" was rolled back to ${outcome.to}`);
      if (outcome.kind === 'uninstalled') mended.push(`"${release}" was half-way, and is uninstalled`);
    }
    return mended.length === 0
      ? { state: 'unchanged', detail: 'nothing was left half-way' }
      : { state: 'applied', detail: mended.join('; ') };
  }

  /** @returns what applying the part would change */
  async #plan(part: PartValues): Promise<ObjectChange[]> {
    const release = this.named(part.release);
    const options = this.#applyOptions(part);
    const manifest = await this.helm((limits) =>
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

  /** Tells what would change. */
  async planned(part: PartValues): Promise<StepEnd> {
    const changes = await this.#told(part);
    if (changes === undefined) return { state: 'differs', detail: 'known once its kinds are there' };
    return { state: changes.length === 0 ? 'unchanged' : 'differs', detail: countChanges(changes) };
  }

  /** Brings the release to where it is to be, unless it is there; what was there before is noted. */
  async apply(part: PartValues): Promise<StepEnd> {
    const release = this.named(part.release);
    if (this.#tracked.note(appliedNote(part.release)) !== undefined)
      return { state: 'applied', detail: 'by the worker before' };
    const history = await this.history(release);
    const deployed = history.findLast(wasDeployed);
    await this.keepOnce(beforeNote(part.release), String(deployed?.revision ?? NONE));
    const target = this.#work.target?.parts.find((one) => one.release === part.release);
    if (target !== undefined) return this.#rollBackTo(part.release, target.helmRevision);
    const changes = await this.#told(part);
    const isNewest = deployed !== undefined && deployed === history.at(-1);
    if (changes?.length === 0 && isNewest && isSameChart(part, deployed)) {
      await this.keepOnce(appliedNote(part.release), String(deployed.revision));
      return { state: 'unchanged', detail: `revision ${deployed.revision} of ${deployed.chart}` };
    }
    await this.#tracked.progress(applyStep(part.release), {
      state: 'applying',
      detail: changes === undefined ? null : countChanges(changes),
    });
    const reason = this.#tracked.operation.parameters.reason;
    const applied = await this.helm((limits) =>
      this.#ports.helm.apply(release, {
        ...this.#applyOptions(part),
        ...limits,
        ...(reason === null ? {} : { description: reason }),
      }),
    );
    await this.keepOnce(appliedNote(part.release), String(applied.revision));
    return { state: 'applied', detail: `revision ${applied.revision} of ${applied.chart}` };
  }

  async #rollBackTo(name: string, revision: number): Promise<StepEnd> {
    const release = this.named(name);
    const history = await this.history(release);
    if (!history.some((one) => one.revision === revision)) {
      throw new StepProblem(
        `Helm has not kept revision ${revision} of "${name}" any more; upgrade with the settings of then.`,
      );
    }
    await this.#tracked.progress(applyStep(name), {
      state: 'applying',
      detail: `back to revision ${revision}`,
    });
    const rolledBack = await this.rollBack(name, revision);
    await this.keepOnce(appliedNote(name), String(rolledBack.revision));
    return {
      state: 'applied',
      detail: `revision ${rolledBack.revision} of ${rolledBack.chart}, which is as revision ${revision} was`,
    };
  }

  /** What was applied by force takes force on the way back. */
  rollBack(name: string, revision: number): Promise<Release> {
    const forceConflicts = this.#isForced();
    return this.helm((limits) =>
      this.#ports.helm.rollBack(this.named(name), revision, { ...limits, forceConflicts }),
    );
  }

  /** Brings a release that a killed Helm has left half-way into a state that can be gone on from. */
  mend(name: string): Promise<Recovery> {
    const forceConflicts = this.#isForced();
    return this.helm((limits) => this.#ports.helm.recover(this.named(name), { ...limits, forceConflicts }));
  }

  /** Waits until everything of the release is ready. */
  async ready(name: string): Promise<StepEnd> {
    const release = this.named(name);
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

  /** Compares what was applied with what the cluster has. */
  async check(name: string): Promise<StepEnd> {
    const release = this.named(name);
    const manifest = await this.#ports.helm.manifest(release);
    if (manifest.kind === 'absent') return { state: 'differs', detail: 'the release is gone' };
    const drift = known(await this.#ports.objects.drift(release, known(manifest)));
    await this.#tracked.say(withoutSecrets(describeChanges(drift), this.#work.secrets));
    return drift.length === 0
      ? { state: 'unchanged', detail: 'as it was applied' }
      : { state: 'differs', detail: drift.map(({ object }) => nameOf(object)).join(', ') };
  }

  named(name: string): ReleaseName {
    return { name, namespace: this.#entry.namespace };
  }

  #applyOptions({ chart, values }: PartValues): Omit<ApplyOptions, 'timeoutMs'> {
    return {
      chart,
      values,
      secrets: this.#work.secrets,
      forceConflicts: this.#isForced(),
    };
  }

  #isForced(): boolean {
    return this.#tracked.operation.parameters.force || this.#entry.forceConflicts;
  }

  /** Helm's revisions, oldest first; none where there is no such release. */
  async history(release: ReleaseName): Promise<Release[]> {
    const history = await this.#ports.helm.history(release);
    return history.kind === 'absent' ? [] : known(history);
  }

  /** Runs Helm, and ends it where the operation is to be cancelled. */
  async helm<T>(
    run: (limits: { timeoutMs: number; signal: AbortSignal }) => Promise<HelmOutcome<T>>,
  ): Promise<T> {
    const { timeoutMs } = this.#entry;
    const outcome = await this.#tracked.unlessCancelled((signal) => run({ timeoutMs, signal }));
    if (outcome.kind === 'done') return outcome.value;
    if (outcome.kind === 'ended') throw new StepProblem(outcome.because);
    const passing = outcome.code === 'unreachable' || outcome.code === 'vanished';
    throw new StepProblem(outcome.message, { passing });
  }

  /** Keeps what was not kept before: a worker that takes over finds what stood there first. */
  async keepOnce(name: string, value: string): Promise<void> {
    if (this.#tracked.note(name) === undefined) await this.#tracked.keepNote(name, value);
  }
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
