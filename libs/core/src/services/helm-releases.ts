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

/** Whether a process that was killed has left it half-way: Helm refuses everything until it is mended. */
export const isPending = ({ state }: Pick<Release, 'state'>): boolean => state.startsWith('pending-');

export type HelmOutcome<T> =
  | { kind: 'done'; value: T }
  /** Helm has refused or failed, in its words. */
  | { kind: 'failed'; message: string }
  /** It was ended from here: cancelled, or out of time. The release may be left pending. */
  | { kind: 'ended'; because: string };

export interface ApplyOptions {
  chart: ChartReference;
  /** All values; what is left out is the chart's own default, never that of the revision before. */
  values: Record<string, unknown>;
  /** Whether fields that other managers own are taken over. Default: no, and the conflict is an error that names them. */
  forceConflicts?: boolean;
  /** Why, in the history. */
  description?: string;
  /** How long the chart's hooks may take. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Helm, whatever runs it. */
export interface HelmReleases {
  /** The newest revision. */
  find(release: ReleaseName): Promise<Answer<Release>>;
  /** All revisions that are kept, oldest first. */
  history(release: ReleaseName): Promise<Answer<Release[]>>;
  /** What would be sent to the cluster, as YAML without the contents of secrets. Nothing is changed. */
  render(release: ReleaseName, options: ApplyOptions): Promise<HelmOutcome<string>>;
  /** What a revision has sent to the cluster, as YAML. The newest where none is named. */
  manifest(release: ReleaseName, revision?: number): Promise<Answer<string>>;
  /** Installs or upgrades, and returns once the cluster has taken it: not until everything is ready. */
  apply(release: ReleaseName, options: ApplyOptions): Promise<HelmOutcome<Release>>;
  /** @param revision a revision of the history; 0 is the one before */
  rollBack(
    release: ReleaseName,
    revision: number,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<HelmOutcome<Release>>;
  uninstall(
    release: ReleaseName,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<HelmOutcome<true>>;
}
