import type { ChartReference } from '#core/services/catalog/catalog-entry';
import { isHalfWay, planRecovery } from '#core/services/helm-recovery';
import {
  type ApplyOptions,
  type HelmFailure,
  type HelmLimits,
  type HelmOutcome,
  type HelmReleases,
  type Recovery,
  type Release,
  type ReleaseName,
  type ReleaseState,
  type RenderOptions,
  REVISIONS_KEPT,
  type RollBackOptions,
} from '#core/services/helm-releases';
import { absent, type Answer, present, unknown } from '#core/vocabulary/answer';

/** Something that was asked of Helm. */
export type HelmCall =
  | { verb: 'render' | 'apply'; release: ReleaseName; chart: ChartReference; values: Record<string, unknown> }
  | { verb: 'rollBack'; release: ReleaseName; revision: number }
  | { verb: 'uninstall'; release: ReleaseName };

/** What a call does instead of succeeding. One that hangs does so until it is cancelled or `kill` is called. */
export type HelmScript = { fails: Partial<Omit<HelmFailure, 'kind'>> } | { hangs: true };

interface Revision extends Release {
  manifest: string;
}

const BEFORE_ANYTHING = new Set(['busy', 'chart', 'unreachable', 'forbidden', 'program']);
const DELETION = 'Deletion in progress (or silently failed)';

/** Releases in memory. A manifest is a comment with the chart, and the values as JSON. */
export class FakeHelmReleases implements HelmReleases {
  /** All calls but questions, in order; those of `recover` included. */
  readonly calls: HelmCall[] = [];
  /** Undefined where a call simply succeeds. */
  script: (call: HelmCall) => HelmScript | undefined = () => undefined;
  /** Why no cluster answers; undefined as long as it does. */
  away: string | undefined;
  readonly #releases = new Map<string, Revision[]>();

  async find(release: ReleaseName): Promise<Answer<Release>> {
    const history = await this.history(release);
    const newest = history.kind === 'present' ? history.value.at(-1) : undefined;
    return history.kind !== 'present' ? history : newest === undefined ? absent : present(newest);
  }

  async history(release: ReleaseName): Promise<Answer<Release[]>> {
    if (this.away !== undefined) return unknown(this.away);
    const revisions = this.#revisions(release);
    return revisions.length === 0 ? absent : present(revisions.map(toRelease));
  }

  async manifest(release: ReleaseName, revision?: number): Promise<Answer<string>> {
    if (this.away !== undefined) return unknown(this.away);
    const found = this.#revisions(release).findLast(
      (other) => revision === undefined || other.revision === revision,
    );
    return found === undefined ? absent : present(found.manifest);
  }

  async render(release: ReleaseName, options: RenderOptions): Promise<HelmOutcome<string>> {
    const { chart, values, secrets = [], withSecrets = false, signal } = options;
    const call = this.#called({ verb: 'render', release, chart, values });
    const unable = this.#unable(signal);
    if (unable !== undefined) return unable;
    const scripted = this.script(call);
    if (scripted !== undefined) return 'fails' in scripted ? failure(scripted.fails) : hang(signal);
    const manifest = manifestOf(chart, values);
    const hidden = withSecrets ? [] : secrets;
    return { kind: 'done', value: hidden.reduce((text, secret) => text.replaceAll(secret, ''), manifest) };
  }

  async apply(release: ReleaseName, options: ApplyOptions): Promise<HelmOutcome<Release>> {
    const { chart, values, description, signal } = options;
    const call = this.#called({ verb: 'apply', release, chart, values });
    const unable = this.#unable(signal);
    if (unable !== undefined) return unable;
    const revisions = this.#revisions(release);
    const newest = revisions.at(-1);
    if (newest !== undefined && isHalfWay(newest)) return failure({ code: 'busy' });
    const first = newest === undefined;
    const begin = (): Revision =>
      this.#add(release, {
        state: first ? 'pending-install' : 'pending-upgrade',
        chart: nameOf(chart),
        appVersion: null,
        description: first ? 'Initial install underway' : 'Preparing upgrade',
        manifest: manifestOf(chart, values),
      });
    return this.#change(begin, this.script(call), signal, {
      done: description ?? (first ? 'Install complete' : 'Upgrade complete'),
      cancelled: 'failed',
    });
  }

  async rollBack(
    release: ReleaseName,
    revision: number,
    { signal }: RollBackOptions,
  ): Promise<HelmOutcome<Release>> {
    const call = this.#called({ verb: 'rollBack', release, revision });
    const unable = this.#unable(signal);
    if (unable !== undefined) return unable;
    const target = this.#revisions(release).find((other) => other.revision === revision);
    if (target === undefined) return failure({ message: `release has no ${revision} version` });
    const description = `Rollback to ${revision}`;
    const begin = (): Revision => this.#add(release, { ...target, state: 'pending-rollback', description });
    return this.#change(begin, this.script(call), signal, {
      done: description,
      cancelled: 'pending-rollback',
    });
  }

  async uninstall(release: ReleaseName, { signal }: HelmLimits): Promise<HelmOutcome<true>> {
    const call = this.#called({ verb: 'uninstall', release });
    const unable = this.#unable(signal);
    if (unable !== undefined) return unable;
    const newest = this.#revisions(release).at(-1);
    if (newest === undefined) return { kind: 'done', value: true };
    Object.assign(newest, { state: 'uninstalling', description: DELETION });
    const scripted = this.script(call);
    if (scripted !== undefined) return 'fails' in scripted ? failure(scripted.fails) : hang(signal);
    this.#releases.delete(keyOf(release));
    return { kind: 'done', value: true };
  }

  async recover(release: ReleaseName, options: RollBackOptions): Promise<HelmOutcome<Recovery>> {
    const history = await this.history(release);
    if (history.kind === 'unknown') return failure({ code: 'unreachable', message: history.because });
    const plan = planRecovery(history.kind === 'present' ? history.value : []);
    switch (plan.kind) {
      case 'nothing':
        return { kind: 'done', value: plan };
      case 'uninstall': {
        const outcome = await this.uninstall(release, options);
        if (outcome.kind !== 'done') return outcome;
        return { kind: 'done', value: { kind: 'uninstalled', withoutHooks: false } };
      }
      case 'roll_back': {
        const { to } = plan;
        const outcome = await this.rollBack(release, to, options);
        if (outcome.kind !== 'done') return outcome;
        const { value } = outcome;
        return { kind: 'done', value: { kind: 'rolled_back', to, release: value, withoutHooks: false } };
      }
    }
  }

  #called(call: HelmCall): HelmCall {
    this.calls.push(structuredClone(call));
    return call;
  }

  #unable(signal: AbortSignal | undefined): HelmOutcome<never> | undefined {
    if (this.away !== undefined) return failure({ code: 'unreachable', message: this.away });
    return signal?.aborted === true ? cancelled : undefined;
  }

  #revisions(release: ReleaseName): Revision[] {
    return this.#releases.get(keyOf(release)) ?? [];
  }

  /** Helm keeps what is deployed, however old it is. */
  #add(release: ReleaseName, fields: Omit<Revision, 'revision' | 'updatedAt'>): Revision {
    const kept = [...this.#revisions(release)];
    const added = { ...fields, revision: (kept.at(-1)?.revision ?? 0) + 1, updatedAt: new Date() };
    kept.push(added);
    while (kept.length > REVISIONS_KEPT)
      kept.splice(
        kept.findIndex(({ state }) => state !== 'deployed'),
        1,
      );
    this.#releases.set(keyOf(release), kept);
    return added;
  }

  async #change(
    begin: () => Revision,
    scripted: HelmScript | undefined,
    signal: AbortSignal | undefined,
    then: { done: string; cancelled: ReleaseState },
  ): Promise<HelmOutcome<Release>> {
    if (scripted !== undefined && 'fails' in scripted) {
      const failed = failure(scripted.fails);
      if (BEFORE_ANYTHING.has(failed.code)) return failed;
      Object.assign(begin(), { state: 'failed', description: `Upgrade "it" failed: ${failed.message}` });
      return failed;
    }
    const revision = begin();
    if (scripted !== undefined) {
      const ended = await hang(signal);
      revision.state = then.cancelled;
      if (then.cancelled === 'failed') revision.description = 'Upgrade "it" failed: context canceled';
      return ended;
    }
    for (const revisions of this.#releases.values())
      if (revisions.includes(revision))
        for (const other of revisions) if (other.state === 'deployed') other.state = 'superseded';
    Object.assign(revision, { state: 'deployed', description: then.done });
    return { kind: 'done', value: toRelease(revision) };
  }
}

const cancelled = { kind: 'ended', because: 'it was cancelled' } as const;

/** Without a signal it never returns, as when this process is killed. */
function hang(signal: AbortSignal | undefined): Promise<HelmOutcome<never>> {
  return new Promise((resolve) =>
    signal?.addEventListener('abort', () => resolve(cancelled), { once: true }),
  );
}

const failure = (fields: Partial<HelmFailure>): HelmFailure => ({
  code: 'other',
  message: 'Helm has failed',
  ...fields,
  kind: 'failed',
});

const keyOf = ({ namespace, name }: ReleaseName): string => `${namespace}/${name}`;

const nameOf = (chart: ChartReference): string =>
  chart.kind === 'own'
    ? `${chart.name}-0.1.0`
    : `${chart.kind === 'oci' ? (chart.url.split('/').at(-1) ?? '') : chart.name}-${chart.version}`;

const manifestOf = (chart: ChartReference, values: Record<string, unknown>): string =>
  `# ${nameOf(chart)}\n${JSON.stringify(values)}\n`;

const toRelease = ({ manifest: _, ...release }: Revision): Release => structuredClone(release);
