import { z } from 'zod';

/** One page of a list. `next` is the cursor of the page after this one, or null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(500)
    .default(50)
    .describe('How many items a page holds, 1 to 500.'),
  cursor: z.string().max(200).optional().describe('Where to go on: the `next` of the page before.'),
};
