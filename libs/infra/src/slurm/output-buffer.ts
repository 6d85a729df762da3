/** What a command writes, up to a limit. */
export class OutputBuffer {
  readonly #chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  #room: number;

  constructor(limitBytes: number) {
    this.#room = limitBytes;
  }

  /** @returns false from the moment on that more was written than the limit allows */
  add(stream: 'stdout' | 'stderr', chunk: Buffer): boolean {
    if (this.#room < 0) return false;
    const kept = chunk.subarray(0, this.#room);
    this.#room -= chunk.length;
    this.#chunks[stream].push(kept);
    return this.#room >= 0;
  }

  /** Bytes that are not UTF-8 are shown as U+FFFD. */
  read(): { stdout: string; stderr: string } {
    return {
      stdout: Buffer.concat(this.#chunks.stdout).toString('utf8'),
      stderr: Buffer.concat(this.#chunks.stderr).toString('utf8'),
    };
  }
}
