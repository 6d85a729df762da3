import { chartValueFor } from './chart-values.ts';
import type { MissingRight } from './missing-right.ts';

/** Who may not do what, and what an admin can do. */
export function describeMissingRight(right: MissingRight): string {
  const { user, verb, what, namespace } = right;
  if (what.startsWith('/')) return `${user} may not ${verb} the path ${what}. Bind a role that allows it.`;
  const scope = namespace === null ? 'in the whole cluster' : `in the namespace ${namespace}`;
  return (
    `${user} may not ${verb} ${what} ${scope}. ` +
    `Bind a role that has the verb "${verb}" for ${what} ${scope}.${chartHint(right)}`
  );
}

/** A sentence with a space before it; '' for those who have not got their rights from Bramble's chart. */
export function chartHint(right: MissingRight): string {
  const value = right.user.startsWith('system:serviceaccount:') ? chartValueFor(right) : undefined;
  return value === undefined ? '' : ` Bramble's chart gives the right ${value}.`;
}
