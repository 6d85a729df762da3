import type { Release } from './helm-releases.ts';

export type RecoveryPlan = { kind: 'nothing' } | { kind: 'roll_back'; to: number } | { kind: 'uninstall' };

/** Whether a process that was killed has left it half-way, so that Helm refuses the next upgrade. */
export const isHalfWay = ({ state }: Pick<Release, 'state'>): boolean =>
  state.startsWith('pending-') || state === 'uninstalling';

/**
 * Failed and half-way revisions become superseded as well, namely by a later one that has failed to roll back or was
 * taken though none was deployed; only their descriptions still tell. These are those of Helm 4.2:
 * `pkg/action/{install,upgrade,rollback,uninstall}.go`.
 */
const NEVER_DEPLOYED =
  /^(Preparing upgrade$|Initial install underway$|Deletion in progress|(Release|Upgrade|Rollback) "[^"]*" failed: )/;

/**
 * Whether the cluster once took all of it and its hooks succeeded. It says nothing of whether everything became ready:
 * Helm is not told to wait for that.
 */
export const wasDeployed = ({ state, description }: Pick<Release, 'state' | 'description'>): boolean =>
  state === 'deployed' || (state === 'superseded' && !NEVER_DEPLOYED.test(description));

/**
 * How a release that was left half-way is mended. A rollback is carried through to where it was going. An upgrade goes
 * back to the newest deployed revision; a process that is killed in the last moments of one leaves none, but the one
 * before is superseded by then. Where none was ever deployed, and where an uninstallation was under way, the release is
 * uninstalled.
 * @param history oldest first
 */
export function planRecovery(history: readonly Release[]): RecoveryPlan {
  const newest = history.at(-1);
  if (newest === undefined || !isHalfWay(newest)) return { kind: 'nothing' };
  if (newest.state === 'uninstalling') return { kind: 'uninstall' };
  const to = rollbackTarget(history, newest) ?? newestDeployed(history);
  return to === undefined ? { kind: 'uninstall' } : { kind: 'roll_back', to: to.revision };
}

/** Where a rollback that is half-way was going; a rollback to another such rollback was going where that one was. */
function rollbackTarget(
  history: readonly Release[],
  { state, description, revision }: Release,
): Release | undefined {
  if (state !== 'pending-rollback') return undefined;
  const wanted = Number(/^Rollback to (\d+)$/.exec(description)?.[1]);
  const target = history.find((other) => other.revision === wanted && wanted < revision);
  if (target === undefined || wasDeployed(target)) return target;
  return rollbackTarget(history, target);
}

function newestDeployed(history: readonly Release[]): Release | undefined {
  return history.findLast(({ state }) => state === 'deployed') ?? history.findLast(wasDeployed);
}
