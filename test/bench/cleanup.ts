type End = () => Promise<void> | void;

/** Everything that was started, to be ended in reverse order, once, however the run ends. */
export class Cleanup {
  readonly #steps: { what: string; end: End }[] = [];
  #run: Promise<void> | undefined;

  /** Best called before the thing is started. What is added when all else has ended is ended at once. */
  add(what: string, end: End): void {
    if (this.#run === undefined) this.#steps.push({ what, end });
    else this.#run = this.#run.then(() => ended(what, end));
  }

  run(): Promise<void> {
    this.#run ??= this.#all();
    return this.#run;
  }

  async #all(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop())
      await ended(step.what, step.end);
  }
}

/** A thing that does not end must not keep the others from being ended. */
async function ended(what: string, end: End): Promise<void> {
  try {
    await end();
  } catch (error) {
    console.error(`${what} could not be ended:`, error);
    process.exitCode = 1;
  }
}
