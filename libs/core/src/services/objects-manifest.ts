import type { ObjectRef } from './service-objects.ts';

/**
 * A manifest of nothing but what objects are called. It is enough to ask how they are, and nothing to compare them with.
 * JSON is YAML, so that those who read Helm's manifests read it as well.
 */
export const objectsManifest = (objects: readonly ObjectRef[]): string =>
  objects
    .map(({ apiVersion, kind, namespace, name }) => {
      const metadata = { name, ...(namespace === null ? {} : { namespace }) };
      return `---\n${JSON.stringify({ apiVersion, kind, metadata })}\n`;
    })
    .join('');
