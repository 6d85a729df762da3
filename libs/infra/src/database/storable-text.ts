/** PostgreSQL's text has no NUL and no half surrogate pair; what programs write may have both. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** JSON for a `jsonb` column; null stays SQL's NULL. */
export function storableJson(value: unknown): string | null {
  if (value === null) return null;
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'string' ? storableText(inner) : inner,
  );
}
