import { Problem } from '#core/vocabulary/problem';

/** The last item of a page: the next page is what is older. */
export interface PagePosition {
  createdAt: Date;
  id: string;
}

/** Opaque to callers, and safe in a URL. */
export function formatCursor({ createdAt, id }: PagePosition): string {
  return Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url');
}

/** @throws Problem `invalid_request` where it is no cursor that was given out */
export function parseCursor(cursor: string): PagePosition {
  const match = /^(\d{1,15})\.([a-z]{1,16}_[0-9A-Za-z_-]{1,64})$/.exec(
    Buffer.from(cursor, 'base64url').toString(),
  );
  const [, milliseconds, id] = match ?? [];
  const position = id === undefined ? undefined : { createdAt: new Date(Number(milliseconds)), id };
  if (position !== undefined && formatCursor(position) === cursor) return position;
  throw new Problem('invalid_request', 'The cursor is not one that was given out.', {
    faults: [{ field: 'cursor', message: 'must be the "next" of an earlier page, or be left out' }],
  });
}

/** Splits the rows of a query for `limit` + 1 items into the page and the cursor of the next. */
export function toPage<T extends PagePosition>(
  found: T[],
  limit: number,
): { items: T[]; next: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? formatCursor(last) : null };
}
