import type { JobChanges } from '#core/jobs/job-store';

/** Tells of changes when it is asked to, so that a test may lose a hint. */
export class MemoryJobChanges implements JobChanges {
  readonly #listeners = new Map<string, Set<() => void>>();

  subscribe(jobId: string, listener: () => void): () => void {
    const entry = () => listener();
    const listeners = this.#listeners.get(jobId) ?? new Set();
    this.#listeners.set(jobId, listeners.add(entry));
    return () => void listeners.delete(entry);
  }

  hint(jobId: string): void {
    for (const listener of [...(this.#listeners.get(jobId) ?? [])]) listener();
  }

  listeners(jobId: string): number {
    return this.#listeners.get(jobId)?.size ?? 0;
  }
}
