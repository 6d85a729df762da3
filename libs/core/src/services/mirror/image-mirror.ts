import type { Answer, Unknown } from '../../vocabulary/answer.ts';
import type { ObservedImage } from './cluster-image.ts';
import type { MirrorPlan } from './mirror-plan.ts';
import type { MirrorState } from './mirror-state.ts';

export type MirrorStart =
  | { kind: 'started' }
  /** The API server does not take the Job, in its words; it would not a second time. */
  | { kind: 'refused'; message: string }
  | Unknown;

/** Copies images into the lab's registry by a Job on the cluster. */
export interface ImageMirror {
  /** Images of all pods. */
  images(): Promise<Answer<ObservedImage[]>>;
  /** Starts the Job. One of that name that is there already is left as it is, and counts as started. */
  start(plan: MirrorPlan): Promise<MirrorStart>;
  /** @returns absent where there is no such Job: never started, stopped, or ended long ago */
  state(job: { name: string; namespace: string }): Promise<Answer<MirrorState>>;
  /** Ends the Job and removes it with its pods. One that is not there is no error. */
  stop(job: { name: string; namespace: string }): Promise<Answer<true>>;
}
