import type { ServiceOperation } from '../../operations/operation.ts';
import { StepProblem } from '../../operations/step-problem.ts';
import type { TrackedOperation } from '../../operations/tracked-operation.ts';
import { STEP } from '../service-steps.ts';
import { toClusterImages } from './cluster-image.ts';
import type { ImageMirror } from './image-mirror.ts';
import { readImageReference, type ImageReference } from './image-reference.ts';
import type { LabRegistry } from './lab-registry.ts';
import { chooseCopies, copiedReferences } from './mirror-plan.ts';
import type { MirrorState } from './mirror-state.ts';

export interface MirrorImagesPorts {
  mirror: ImageMirror;
  registry: LabRegistry | null;
}

const LOOK_MS = 2_000;
/** References that are to be copied, a line each: what the cluster runs may change while they are. */
const COPIES_NOTE = 'copies';

/** Copies what the cluster runs into the lab's registry, by a Job on the cluster that outlives the worker. */
export async function mirrorImages(
  { mirror, registry }: MirrorImagesPorts,
  tracked: TrackedOperation<ServiceOperation>,
  namespace: string,
): Promise<void> {
  let copies: ImageReference[] = [];
  await tracked.progressOf(STEP.images, async () => {
    if (registry === null) {
      throw new StepProblem('Bramble knows of no registry: set BRAMBLE_REGISTRY, as pods reach it.');
    }
    const chosen = tracked.note(COPIES_NOTE) ?? (await choose(mirror, registry, tracked));
    copies = chosen.split('\n').flatMap((reference) => readImageReference(reference) ?? []);
    return { state: 'unchanged', detail: `${copies.length} to copy` };
  });
  await tracked.progressOf(STEP.copy, async () => {
    if (registry === null || copies.length === 0)
      return { state: 'unchanged', detail: 'the registry has all of them' };
    const job = { name: jobName(tracked.operation.id), namespace };
    const plan = { ...job, registry, copies, options: {} };
    const started = await mirror.start(plan);
    if (started.kind === 'refused') throw new StepProblem(started.message);
    if (started.kind === 'unknown') throw new StepProblem(started.because, { passing: true });
    const state = await untilCopied(mirror, job, tracked);
    if (state.phase === 'failed') throw new StepProblem(describeFailures(state));
    return { state: 'applied', detail: `${state.copied.length} were copied` };
  });
}

async function choose(
  images: ImageMirror,
  registry: LabRegistry,
  tracked: TrackedOperation<ServiceOperation>,
): Promise<string> {
  const observed = await images.images();
  if (observed.kind === 'unknown') throw new StepProblem(observed.because, { passing: true });
  const found = observed.kind === 'present' ? observed.value : [];
  const { copies, skipped } = chooseCopies(await toClusterImages(found, registry), registry);
  for (const { reference, because } of skipped) await tracked.say(`${reference}: ${because}\n`);
  const references = copiedReferences(copies).join('\n');
  await tracked.keepNote(COPIES_NOTE, references);
  return references;
}

async function untilCopied(
  images: ImageMirror,
  job: { name: string; namespace: string },
  tracked: TrackedOperation<ServiceOperation>,
): Promise<MirrorState> {
  let told = '';
  for (;;) {
    const answer = await images.state(job);
    if (answer.kind === 'absent') throw new StepProblem('Somebody has removed the Job that copies.');
    if (answer.kind === 'present') {
      const { phase, copied, total, because } = answer.value;
      if (phase !== 'running') return answer.value;
      const detail = `${copied.length} of ${total}${because === null ? '' : `; ${because}`}`;
      if (detail !== told) await tracked.progress(STEP.copy, { state: 'applying', detail });
      told = detail;
    }
    await tracked.pause(LOOK_MS);
  }
}

const describeFailures = ({ failed, because }: MirrorState): string =>
  [because ?? '', ...failed.map((one) => `${one.reference}: ${one.because}`)]
    .filter((line) => line !== '')
    .join('\n');

/** Of one operation, so that a worker that takes over finds the Job again. */
const jobName = (operationId: string): string => `mirror-${operationId.replaceAll('_', '-')}`;
