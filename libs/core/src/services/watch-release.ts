import { StepProblem } from '../operations/step-problem.ts';
import { nameOf } from './describe-changes.ts';
import type { ReleaseName } from './helm-releases.ts';
import type { ReleaseHealth, ServiceObjects, WorkloadProblem } from './service-objects.ts';

export interface WatchReleasePorts {
  objects: Pick<ServiceObjects, 'health'>;
  now: () => Date;
  /** Ends early, with an error, where the operation is to be cancelled. */
  pause: (ms: number) => Promise<void>;
  /** Tells how far it is. */
  progress: (detail: string) => Promise<void>;
  /** Shows text to those who watch. */
  say: (text: string) => Promise<void>;
}

const LOOK_MS = 1_000;

export const describeProblem = ({ object, code, message, lastLines }: WorkloadProblem): string =>
  [
    `${nameOf(object)}: ${code}: ${message}`,
    ...(lastLines.length === 0 ? [] : ['its last lines:', ...lastLines.map((line) => `  ${line}`)]),
  ].join('\n');

/**
 * Waits until everything of a release is ready, and tells how far it is.
 * @returns how much is ready
 * @throws StepProblem as soon as something is wrong that does not pass by itself, or when the time is up
 */
export async function untilReady(
  ports: WatchReleasePorts,
  release: ReleaseName,
  manifest: string,
  timeoutMs: number,
): Promise<string> {
  const deadline = ports.now().getTime() + timeoutMs;
  const told = new Set<string>();
  let last = '';
  for (;;) {
    const answer = await ports.objects.health(release, manifest);
    if (answer.kind === 'present') {
      const health = answer.value;
      for (const problem of health.problems) {
        const text = describeProblem(problem);
        if (!told.has(text)) await ports.say(`${text}\n`);
        told.add(text);
      }
      const lasting = health.problems.find((problem) => problem.lasting);
      if (lasting !== undefined) throw new StepProblem(describeProblem(lasting));
      if (health.workloads.every(({ ready }) => ready)) return describeHealth(health);
      last = await tellOnce(ports, describeHealth(health), last);
    } else if (answer.kind === 'unknown') {
      last = await tellOnce(ports, `the cluster cannot be asked: ${answer.because}`, last);
    }
    if (ports.now().getTime() >= deadline) {
      throw new StepProblem(`It was not ready within ${timeoutMs / 1000} s: ${last}`);
    }
    await ports.pause(LOOK_MS);
  }
}

async function tellOnce(ports: WatchReleasePorts, detail: string, last: string): Promise<string> {
  if (detail !== last) await ports.progress(detail);
  return detail;
}

function describeHealth({ workloads }: ReleaseHealth): string {
  if (workloads.length === 0) return 'it has no workloads';
  const waiting = workloads.filter(({ ready }) => !ready);
  if (waiting.length === 0) return `${workloads.length} of ${workloads.length} are ready`;
  const named = waiting.slice(0, 3).map(({ object, detail }) => `${nameOf(object)}: ${detail}`);
  return `${workloads.length - waiting.length} of ${workloads.length} are ready; ${named.join('; ')}`;
}
