import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Counts what ran, by the jobs' own word: each appends a line to a file on the shared storage. */
export class Tally {
  readonly directory: string;

  constructor(storage: string) {
    this.directory = join(storage, 'tally');
    mkdirSync(this.directory, { recursive: true });
    // All accounts append to it.
    chmodSync(this.directory, 0o1777);
  }

  get #file(): string {
    return join(this.directory, 'ran');
  }

  /** A script that says once that it ran. One write of a line to a file that is open for appending is never torn. */
  script(note: string): string {
    return `#!/bin/bash\necho "$BRAMBLE_JOB_ID ${note}" >> ${this.#file}\n`;
  }

  count(jobId: string): number {
    return this.counts().get(jobId) ?? 0;
  }

  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const line of this.#read().split('\n')) {
      const [id = ''] = line.split(' ');
      if (id !== '') counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  #read(): string {
    try {
      return readFileSync(this.#file, 'utf8');
    } catch {
      return '';
    }
  }
}
