import type { ObjectChange, ObjectRef } from './service-objects.ts';

export const nameOf = ({ kind, namespace, name }: ObjectRef): string =>
  `${kind} ${namespace === null ? name : `${namespace}/${name}`}`;

const SIGN: Record<ObjectChange['change'], string> = {
  create: '+',
  change: '~',
  remove: '-',
  conflict: '!',
  refused: '!',
};

/** What would become of objects, a line each, and the fields below. */
export function describeChanges(changes: readonly ObjectChange[]): string {
  const lines = changes.flatMap(({ object, change, fields, message }) => [
    `${SIGN[change]} ${nameOf(object)}${message === null ? '' : `: ${message}`}`,
    ...fields.map(({ path, before, after }) => `    ${path}: ${before ?? '(none)'} → ${after ?? '(none)'}`),
  ]);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** Such as `3 objects to create, 1 to change`. */
export function countChanges(changes: readonly ObjectChange[]): string {
  const counted = (['create', 'change', 'remove'] as const).flatMap((kind) => {
    const count = changes.filter(({ change }) => change === kind).length;
    return count === 0 ? [] : [`${count} to ${kind}`];
  });
  return counted.length === 0 ? 'nothing to change' : counted.join(', ');
}

/** Those that cannot be made: somebody else owns fields, or the API server refuses the object. */
export const obstacles = (changes: readonly ObjectChange[]): ObjectChange[] =>
  changes.filter(({ change }) => change === 'conflict' || change === 'refused');
