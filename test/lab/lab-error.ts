/** The lab cannot do what was asked. The message says what is wrong and, where it is known, what to do about it. */
export class LabError extends Error {
  override readonly name = 'LabError';
}
