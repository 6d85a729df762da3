import type { ChartReference } from './catalog/catalog-entry.ts';
import type { Answer } from '../vocabulary/answer.ts';

/** A release of Helm: a chart that was installed under a name. */
export interface ReleaseName {
  name: string;
  namespace: string;
}

/** @see https://helm.sh/docs/helm/helm_status/ */
export const RELEASE_STATES = [
  'deployed',
  'failed',
  'superseded',
  'uninstalled',
  'uninstalling',
  'pending-install',
  'pending-upgrade',
  'pending-rollback',
  'unknown',
] as const;
export type ReleaseState = (typeof RELEASE_STATES)[number];

/** One revision of a release. */
export interface Release {
  revision: number;
  state: ReleaseState;
  /** Name and version of the chart, such as `zot-0.1.75`. */
  chart: string;
  appVersion: string | null;
  /** What was done, or why it failed, in Helm's words. */
  description: string;
  updatedAt: Date;
}

/** How many revisions of a release are kept: each is a Secret of up to 1 MiB. */
export const REVISIONS_KEPT = 10;

/**
 * Why Helm has failed, as far as something can be done about it.
 *
 * `busy`: another Helm is at work on the release, or was killed there: see `recover`. `conflict`: other managers own
 * fields, or other releases own objects. `chart`: the chart is missing, cannot be had, or is not what its digest says;
 * nothing was sent to the cluster. `unreachable`: the API server does not answer. `forbidden`: it does not allow it.
 * `program`: Helm itself is missing or too old. `vanished`: an object of an earlier release was still being deleted when
 * Helm began, and is gone now: the same again succeeds.
 */
export type HelmFailureCode =
  | 'busy'
  | 'conflict'
  | 'chart'
  | 'unreachable'
  | 'forbidden'
  | 'program'
  | 'vanished'
  | 'other';

export interface HelmFailure {
  kind: 'failed';
  code: HelmFailureCode;
  /** Why, and the remedy, for an admin. */
  message: string;
}

/** It was ended from here: cancelled, or out of time. The release may be left pending. */
export interface HelmEnded {
  kind: 'ended';
  because: string;
}

export type HelmOutcome<T> = { kind: 'done'; value: T } | HelmFailure | HelmEnded;

export interface HelmLimits {
  /** How long each hook of the chart may take, and what else Helm waits for. A little later Helm is ended. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface ApplyOptions extends HelmLimits {
  chart: ChartReference;
  /** All values; what is left out is the chart's own default, never that of the revision before. */
  values: Record<string, unknown>;
  /** Secrets among the values: they are struck out of every message. */
  secrets?: readonly string[];
  /** Whether fields that other managers own are taken over. Default: no, and the conflict is an error that names them. */
  forceConflicts?: boolean;
  /** Why, in the history. Other processes see it. Default: Helm's words. */
  description?: string;
}

export interface RenderOptions extends ApplyOptions {
  /**
   * Whether Secrets are in it with their contents, as a comparison needs them: such a manifest is never shown, logged or
   * stored. Default: no, and Secrets are left out.
   */
  withSecrets?: boolean;
}

export interface RollBackOptions extends HelmLimits {
  /** As of `ApplyOptions`: what was applied with force may need it on the way back. */
  forceConflicts?: boolean;
}

/** What became of a release that was left half-way. */
export type Recovery =
  /** There was nothing to mend. */
  | { kind: 'nothing' }
  /** `withoutHooks`: the chart's hooks have failed, and were left out. */
  | { kind: 'rolled_back'; to: number; release: Release; withoutHooks: boolean }
  | { kind: 'uninstalled'; withoutHooks: boolean };

/**
 * Helm, whatever runs it. Helm holds no lock of its own that could be relied on: it refuses a second upgrade of a
 * release, but neither a rollback nor an uninstallation beside one. Whoever calls holds one for each release.
 */
export interface HelmReleases {
  /** The newest revision. */
  find(release: ReleaseName): Promise<Answer<Release>>;
  /** All revisions that are kept, oldest first. */
  history(release: ReleaseName): Promise<Answer<Release[]>>;
  /**
   * What would be sent to the cluster, as YAML, without the chart's hooks and `crds` directory. Nothing is changed. Others
   * that own fields do not show here.
   */
  render(release: ReleaseName, options: RenderOptions): Promise<HelmOutcome<string>>;
  /**
   * What a revision has sent to the cluster, as YAML, with the contents of Secrets: never shown, logged or stored.
   * @param revision default: the newest
   */
  manifest(release: ReleaseName, revision?: number): Promise<Answer<string>>;
  /**
   * Installs or upgrades, and returns once the cluster has taken it and hooks are done: not until everything is ready. The
   * namespace has to be there.
   */
  apply(release: ReleaseName, options: ApplyOptions): Promise<HelmOutcome<Release>>;
  /** @param revision a revision of the history */
  rollBack(release: ReleaseName, revision: number, options: RollBackOptions): Promise<HelmOutcome<Release>>;
  /** Removes what the release has made, and its history. Done as well where there is no such release. */
  uninstall(release: ReleaseName, options: HelmLimits): Promise<HelmOutcome<true>>;
  /**
   * Mends a release that a killed process has left half-way, as `planRecovery` says. It may itself be killed, and is then
   * run again. Nobody else may be at work on the release.
   */
  recover(release: ReleaseName, options: RollBackOptions): Promise<HelmOutcome<Recovery>>;
}
