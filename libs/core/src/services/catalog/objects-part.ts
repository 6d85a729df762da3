import type { PartValues, ServiceConstraints } from './catalog-entry.ts';

/** An object as the API server takes it. Without a namespace it is made in that of the service. */
export interface GivenObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

/** Objects that no chart brings, as a release of their own: they are changed, rolled back and removed like all others. */
export const objectsPart = (
  release: string,
  objects: readonly GivenObject[],
  constraints?: ServiceConstraints,
): PartValues => ({
  release,
  chart: { kind: 'own', name: 'objects' },
  values: { objects: [...objects] },
  ...(constraints === undefined ? {} : { constraints }),
});
