/** What is in the way of a step, in words for the admin. */
export class StepProblem extends Error {
  /** Whether it may pass by itself, so that trying again makes sense: something is away, or a lock is held. */
  readonly passing: boolean;

  constructor(message: string, { passing = false }: { passing?: boolean } = {}) {
    super(message);
    this.name = 'StepProblem';
    this.passing = passing;
  }
}

/** Nothing is wrong, but the step has to wait for something that may take days. It is looked at again and again. */
export class StepWaits extends Error {
  /** @param message what it waits for */
  constructor(message: string) {
    super(message);
    this.name = 'StepWaits';
  }
}
