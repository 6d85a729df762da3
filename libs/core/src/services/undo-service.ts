import type { ServiceOperation } from '../operations/operation.ts';
import { StepProblem } from '../operations/step-problem.ts';
import type { TrackedOperation } from '../operations/tracked-operation.ts';
import { isHalfWay } from './helm-recovery.ts';
import type { Release } from './helm-releases.ts';
import { beforeNote, NONE, type ServiceReleases } from './service-releases.ts';
import { STEP } from './service-steps.ts';
import type { ServiceRunPorts, ServiceWork } from './service-work.ts';

/**
 * Goes back to where everything was before the operation, the last first.
 * @throws StepProblem, always: why, and what became of it
 */
export async function undoService(
  ports: ServiceRunPorts,
  tracked: TrackedOperation<ServiceOperation>,
  releases: ServiceReleases,
  { parts }: ServiceWork,
  reason: string,
): Promise<never> {
  const { parameters } = tracked.operation;
  let outcome = 'what was applied stays';
  await tracked.progressOf(STEP.undo, async () => {
    if (parameters.keepFailed) return { state: 'unchanged', detail: outcome };
    const undone: string[] = [];
    for (const { release } of parts.toReversed()) {
      const told = await undoRelease(ports, tracked, releases, release);
      if (told !== undefined) undone.push(told);
    }
    outcome = undone.length === 0 ? 'nothing was changed' : undone.join('; ');
    return { state: undone.length === 0 ? 'unchanged' : 'applied', detail: outcome };
  });
  throw new StepProblem(`${reason}\nAfter this, ${outcome}.`);
}

/** @returns what was done, in words */
async function undoRelease(
  { helm, objects }: ServiceRunPorts,
  tracked: TrackedOperation<ServiceOperation>,
  releases: ServiceReleases,
  name: string,
): Promise<string | undefined> {
  const before = tracked.note(beforeNote(name));
  if (before === undefined) return undefined;
  const release = releases.named(name);
  await releases.mend(name);
  const newest = (await releases.history(release)).at(-1);
  if (newest === undefined) return before === NONE ? `"${name}" was uninstalled` : undefined;
  if (before === NONE) {
    await releases.helm((limits) => helm.uninstall(release, limits));
    return `"${name}" was uninstalled`;
  }
  const isThere = newest.state === 'deployed' && !isHalfWay(newest) && isBefore(newest, before);
  if (!isThere) await releases.rollBack(name, Number(before));
  const manifest = await helm.manifest(release);
  if (manifest.kind === 'present') await objects.removeStuckPods(release, manifest.value);
  return newest.revision === Number(before) ? undefined : `"${name}" was rolled back to revision ${before}`;
}

/** Also a rollback to that revision is it. */
const isBefore = ({ revision, description }: Release, before: string): boolean =>
  String(revision) === before || description === `Rollback to ${before}`;
