import { isDeepStrictEqual } from 'node:util';
import type { FieldChange } from '#core/services/service-objects';

/** Longer values are cut: a dashboard in a ConfigMap has a megabyte. */
const MAX_VALUE = 200;
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/** Fields that name the items of a list; the API server merges most lists by one of them. */
const ITEM_NAMES = ['name', 'key', 'mountPath', 'containerPort', 'port', 'ip', 'type'] as const;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Fields in which two objects differ, by path: `spec.template.spec.containers[name="web"].image`. A value that is a map
 * on one side only is one change.
 */
export function fieldChanges(before: unknown, after: unknown, path = ''): FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => fieldChanges(before[key], after[key], fieldPath(path, key)));
  }
  if (Array.isArray(before) && Array.isArray(after)) return itemChanges(before, after, path);
  return [{ path, before: told(before), after: told(after) }];
}

/** The same without what is in the fields: for Secrets, where only the names of keys may be told. */
export function hideValues(changes: readonly FieldChange[]): FieldChange[] {
  const hidden = (value: string | null): string | null => (value === null ? null : '"(hidden)"');
  return changes.map(({ path, before, after }) => ({ path, before: hidden(before), after: hidden(after) }));
}

function itemChanges(before: readonly unknown[], after: readonly unknown[], path: string): FieldChange[] {
  const name = ITEM_NAMES.find((key) => namesAll(before, key) && namesAll(after, key));
  if (name === undefined) return listChanges(before, after, path);
  const keyed = (items: readonly unknown[]): Map<unknown, unknown> =>
    new Map((items as Fields[]).map((item) => [item[name], item]));
  const [old, wanted] = [keyed(before), keyed(after)];
  const keys = [...new Set([...old.keys(), ...wanted.keys()])];
  const changes = keys.flatMap((key) =>
    fieldChanges(old.get(key), wanted.get(key), `${path}[${name}=${JSON.stringify(key)}]`),
  );
  // The same items in another order: for init containers that is a change as well.
  return changes.length > 0
    ? changes
    : [{ path, before: told([...old.keys()]), after: told([...wanted.keys()]) }];
}

function listChanges(before: readonly unknown[], after: readonly unknown[], path: string): FieldChange[] {
  const isPlain = [...before, ...after].every((item) => typeof item !== 'object');
  if (isPlain || before.length !== after.length) return [{ path, before: told(before), after: told(after) }];
  return before.flatMap((item, index) => fieldChanges(item, after[index], `${path}[${index}]`));
}

function namesAll(items: readonly unknown[], key: string): boolean {
  const names = items.map((item) => (isMap(item) ? item[key] : undefined));
  return (
    names.every((name) => typeof name === 'string' || typeof name === 'number') &&
    new Set(names).size === names.length
  );
}

const fieldPath = (path: string, key: string): string => {
  if (!PLAIN_KEY.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
};

function told(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const text = JSON.stringify(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

const isMap = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
