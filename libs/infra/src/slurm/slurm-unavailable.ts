/** Slurm gave no answer, or none that is understood. The message says which command, and why. */
export class SlurmUnavailable extends Error {
  constructor(because: string, options?: ErrorOptions) {
    super(because, options);
    this.name = 'SlurmUnavailable';
  }
}
