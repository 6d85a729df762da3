import type { ServiceOperation } from '../operations/operation.ts';
import { StepProblem } from '../operations/step-problem.ts';
import type { StepEnd, TrackedOperation } from '../operations/tracked-operation.ts';
import { nameOf } from './describe-changes.ts';
import type { ReleaseName } from './helm-releases.ts';
import { known } from './known.ts';
import { objectsManifest } from './objects-manifest.ts';
import type { ServiceReleases } from './service-releases.ts';
import { removeStep, STEP } from './service-steps.ts';
import type { ServiceRunPorts, ServiceWork } from './service-work.ts';

/** What a release leaves behind, in words. */
const leftNote = (release: string): string => `left:${release}`;
/** Names of what a release had, as a manifest. */
const goingNote = (release: string): string => `going:${release}`;
const LOOK_MS = 1_000;

/** Takes a service out of the cluster, the last release first, and forgets it. */
export async function uninstallService(
  ports: ServiceRunPorts,
  tracked: TrackedOperation<ServiceOperation>,
  releases: ServiceReleases,
  { work, timeoutMs }: { work: ServiceWork; timeoutMs: number },
): Promise<void> {
  const { services, objects, catalog } = ports;
  const { subject, parameters } = tracked.operation;
  await tracked.progressOf(STEP.dependents, async () => {
    const installed = await services.list();
    const dependents = installed
      .map(({ name }) => name)
      .filter((name) => catalog.find(name)?.dependsOn.includes(subject) === true);
    if (dependents.length > 0 && !parameters.force)
      throw new StepProblem(`${dependents.join(' and ')} depend on it; uninstall that first, or use force.`);
    return { state: 'unchanged', detail: dependents.length === 0 ? 'none' : dependents.join(', ') };
  });
  await tracked.progressOf(STEP.recover, () => releases.recover(work.known));
  for (const release of work.known.toReversed()) {
    const named = releases.named(release);
    const manifest = await ports.helm.manifest(named);
    if (manifest.kind === 'present') {
      const left = await objects.leftovers(named, manifest.value);
      if (left.kind === 'present')
        await releases.keepOnce(leftNote(release), left.value.map(nameOf).join(', '));
      await releases.keepOnce(
        goingNote(release),
        objectsManifest(known(await objects.objectsOf(named, manifest.value))),
      );
    }
    await tracked.progressOf(removeStep(release), () =>
      remove(ports, tracked, releases, { name: release, timeoutMs }),
    );
  }
  await tracked.progressOf(STEP.leftovers, async () => {
    const left = work.known
      .map((release) => tracked.note(leftNote(release)) ?? '')
      .filter((text) => text !== '');
    return { state: 'unchanged', detail: left.length === 0 ? 'nothing' : left.join(', ') };
  });
  await services.remove(subject);
}

async function remove(
  ports: ServiceRunPorts,
  tracked: TrackedOperation<ServiceOperation>,
  releases: ServiceReleases,
  { name, timeoutMs }: { name: string; timeoutMs: number },
): Promise<StepEnd> {
  const release = releases.named(name);
  const found = await ports.helm.find(release);
  if (found.kind === 'unknown') throw new StepProblem(found.because, { passing: true });
  if (found.kind === 'present') {
    await tracked.progress(removeStep(name), { state: 'applying' });
    await releases.helm((limits) => ports.helm.uninstall(release, limits));
  }
  await untilGone(ports, tracked, release, timeoutMs);
  return found.kind === 'present'
    ? { state: 'applied', detail: `${found.value.chart} was uninstalled` }
    : { state: 'unchanged', detail: 'it is not there' };
}

/** Waits for objects that are on their way out: an installation right after this one would meet them. */
async function untilGone(
  { objects, clock }: ServiceRunPorts,
  tracked: TrackedOperation<ServiceOperation>,
  release: ReleaseName,
  timeoutMs: number,
): Promise<void> {
  const { name } = release;
  const manifest = tracked.note(goingNote(name));
  if (manifest === undefined) return;
  const deadline = clock.now().getTime() + timeoutMs;
  for (;;) {
    const left = known(await objects.remaining(release, manifest));
    if (left.length === 0) return;
    if (clock.now().getTime() >= deadline) {
      throw new StepProblem(
        `They were deleted, and are still there: ${left.map(nameOf).join(', ')}. Something has not taken its finalizers away.`,
      );
    }
    await tracked.progress(removeStep(name), { detail: `waits for ${left.map(nameOf).join(', ')}` });
    await tracked.pause(LOOK_MS);
  }
}
