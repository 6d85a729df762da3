/** What stands in the place of a secret. Given back, it keeps the secret that is there. */
export const HIDDEN = '(hidden)';

/** Names of values that hold secrets, as charts call them. */
const SECRET_NAME = /passw(or)?d|secret|token|private[-_]?key|api[-_]?key|credential|htpasswd/i;

type Path = readonly (string | number)[];

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Texts are secrets below a name that says so, and where the entry says so. */
const isSecret = (names: readonly string[], named: readonly string[]): boolean =>
  names.some((name) => SECRET_NAME.test(name) || named.includes(name));

interface Place {
  path: Path;
  /** What it is called: the names of the path, and that of an environment variable, `{"name": …, "value": …}`. */
  names: readonly string[];
}

const TOP: Place = { path: [], names: [] };

function replaced(value: unknown, place: Place, change: (value: unknown, place: Place) => unknown): unknown {
  const { path, names } = place;
  if (Array.isArray(value))
    return value.map((one, index) => replaced(one, { path: [...path, index], names }, change));
  if (isMap(value)) {
    const called = typeof value.name === 'string' ? [value.name] : [];
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => {
        const further = name === 'value' ? [name, ...called] : [name];
        return [name, replaced(one, { path: [...path, name], names: [...names, ...further] }, change)];
      }),
    );
  }
  return change(value, place);
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
  replaced(values, TOP, (value, { names }) =>
    (typeof value === 'string' || typeof value === 'number') && isSecret(names, named) ? HIDDEN : value,
  ) as Record<string, unknown>;

/** The values with the secrets that were hidden from whoever gave them back. */
export const revealSecrets = (
  values: Record<string, unknown>,
  before: Record<string, unknown>,
): Record<string, unknown> =>
  replaced(values, TOP, (value, { path }) => (value === HIDDEN ? at(before, path) : value)) as Record<
    string,
    unknown
  >;

/** All texts that are secrets, to strike them out of messages. */
export function secretsIn(values: Record<string, unknown>, named: readonly string[] = []): string[] {
  const found: string[] = [];
  replaced(values, TOP, (value, { names }) => {
    if (typeof value === 'string' && value !== '' && isSecret(names, named)) found.push(value);
    return value;
  });
  return found;
}

/** Shorter ones are not struck out: they are in other words as well. */
const SHORTEST_SECRET = 4;

/** Strikes secrets out, also as a Secret's `data` has them. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter(({ length }) => length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, Buffer.from(secret).toString('base64')])
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, '******'), text);
}
