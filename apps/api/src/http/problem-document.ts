import { z } from 'zod';

/** RFC 9457, with a stable code, the request's id and every faulty field. */
export const problemDocumentSchema = z
  .object({
    type: z.string().describe('`about:blank`: the code says more than a URL would.'),
    title: z.string().describe('The status in words.'),
    status: z.int(),
    code: z.string().describe('Stable code of the problem.'),
    detail: z.string().describe('What is wrong and what would help.'),
    requestId: z.string().describe('Names the request in the logs.'),
    faults: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .describe('Every faulty field of the request.'),
  })
  .meta({ id: 'Problem' });

export type ProblemDocument = z.output<typeof problemDocumentSchema>;
