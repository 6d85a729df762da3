import { Problem, type FieldFault } from '../vocabulary/problem.ts';
import { jobRequestSchema, type JobRequest } from './job-request.ts';
import { parseSbatchDirectives } from './sbatch-directives.ts';
import { fieldPath } from '../vocabulary/field-path.ts';

/**
 * The request with what its script's `#SBATCH` lines add; a field of the request wins over a line of the script.
 * @param given names of the fields that the caller wrote, so that a default does not count as the caller's word
 * @throws Problem `invalid_request` naming every faulty line or value
 */
export function withSbatchDirectives(request: JobRequest, given: ReadonlySet<string>): JobRequest {
  if (request.script === undefined) return request;
  const { fields, faults } = parseSbatchDirectives(request.script);
  if (faults.length > 0) throw invalidRequest(faults);
  const added = Object.fromEntries(Object.entries(fields).filter(([field]) => !given.has(field)));
  const merged = jobRequestSchema.safeParse({ ...request, ...added });
  if (merged.success) return merged.data;
  throw invalidRequest(
    merged.error.issues.map((issue) => ({
      field: 'script',
      message: `#SBATCH value of "${fieldPath(issue.path)}" ${issue.message}`,
    })),
  );
}

function invalidRequest(faults: FieldFault[]): Problem {
  return new Problem('invalid_request', 'The #SBATCH lines of the script cannot be honoured.', { faults });
}
