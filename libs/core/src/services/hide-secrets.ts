/** What stands in the place of a secret. Given back, it keeps the secret that is there. */
export const HIDDEN = '(hidden)';

/** Names of values that hold secrets, as charts call them. */
const SECRET_NAME = /passw(or)?d|secret|token|private[-_]?key|api[-_]?key|credential|htpasswd/i;

type Path = readonly (string | number)[];

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Texts are secrets below a name that says so, and where the entry says so. */
const isSecret = (path: Path, named: readonly string[]): boolean =>
  path.some((part) => typeof part === 'string' && (SECRET_NAME.test(part) || named.includes(part)));

function replaced(value: unknown, path: Path, change: (value: unknown, path: Path) => unknown): unknown {
  if (Array.isArray(value)) return value.map((one, index) => replaced(one, [...path, index], change));
  if (isMap(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, replaced(one, [...path, name], change)]),
    );
  }
  return change(value, path);
}

function at(value: unknown, path: Path): unknown {
  let found = value;
  for (const part of path) {
    if (Array.isArray(found)) found = found[Number(part)];
    else if (isMap(found)) found = found[String(part)];
    else return undefined;
  }
  return found;
}

/**
 * The values with every secret struck out.
 * @param named names that are secrets beside those that sound so
 */
export const hideSecrets = (
  values: Record<string, unknown>,
  named: readonly string[] = [],
): Record<string, unknown> =>
  replaced(values, [], (value, path) =>
    (typeof value === 'string' || typeof value === 'number') && isSecret(path, named) ? HIDDEN : value,
  ) as Record<string, unknown>;

/** The values with the secrets that were hidden from whoever gave them back. */
export const revealSecrets = (
  values: Record<string, unknown>,
  before: Record<string, unknown>,
): Record<string, unknown> =>
  replaced(values, [], (value, path) => (value === HIDDEN ? at(before, path) : value)) as Record<
    string,
    unknown
  >;

/** All texts that are secrets, to strike them out of messages. */
export function secretsIn(values: Record<string, unknown>, named: readonly string[] = []): string[] {
  const found: string[] = [];
  replaced(values, [], (value, path) => {
    if (typeof value === 'string' && value !== '' && isSecret(path, named)) found.push(value);
    return value;
  });
  return found;
}
