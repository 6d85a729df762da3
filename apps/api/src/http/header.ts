import type { Request } from 'express';
import type { z } from 'zod';
import { Problem } from '#core/vocabulary/problem';

/** A request header, checked. @throws Problem `invalid_request` naming the header */
export function readHeader<T extends z.ZodType>(
  request: Request,
  name: string,
  schema: T,
): z.output<T> | undefined {
  const value = request.headers[name.toLowerCase()];
  if (value === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ message }) => ({ field: `header ${name}`, message }));
  throw new Problem('invalid_request', `The header "${name}" is not right.`, { faults });
}
