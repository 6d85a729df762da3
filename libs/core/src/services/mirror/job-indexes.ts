/** Indexes of a Job from one to another, both of them included. */
export interface IndexRange {
  from: number;
  to: number;
}

/**
 * Reads indexes as a Job's status has them: `1,3-5,7`; '' is none.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
 */
export function readIndexes(text: string): IndexRange[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const [from = '', to = from] = part.split('-');
    return { from: Number(from), to: Number(to) };
  });
}
