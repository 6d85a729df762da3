import { z } from 'zod';

const labelKey = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9_./-]{0,61}[A-Za-z0-9])?$/,
    'must be 1 to 63 letters, digits, "_", ".", "/" or "-"',
  );
const labelValue = z
  .string()
  .max(255)
  .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters');

/** Labels that users give to things, to find them by. */
export const labelsSchema = z
  .record(labelKey, labelValue)
  .refine((labels) => Object.keys(labels).length <= 64, 'must have at most 64 labels')
  .default({});
