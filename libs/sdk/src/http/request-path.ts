export type QueryValue = string | number | boolean | readonly string[] | undefined;
export type Query = Record<string, QueryValue>;

/**
 * A path of the API from its parts, each encoded.
 * @throws TypeError where a part is empty, `.` or `..`: the URL would name something else
 */
export function requestPath(...parts: readonly string[]): string {
  return parts
    .map((part) => {
      if (part !== '' && part !== '.' && part !== '..') return `/${encodeURIComponent(part)}`;
      throw new TypeError(`${JSON.stringify(part)} cannot be part of the path of a request.`);
    })
    .join('');
}

/** A query string with its question mark, or nothing. What is undefined is left out; lists are repeated. */
export function queryString(query: Query): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (typeof value === 'object') for (const one of value) pairs.append(name, one);
    else pairs.append(name, String(value));
  }
  const text = pairs.toString();
  return text === '' ? '' : `?${text}`;
}
