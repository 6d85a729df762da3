import type { ApiObject } from './api-object.ts';
import { readHelmYaml } from './helm-yaml.ts';
import { Unanswerable } from './unanswerable.ts';

/** A manifest is no YAML, or has a document that is no object. The message has none of its contents. */
export class ManifestUnreadable extends Unanswerable {
  override readonly name = 'ManifestUnreadable';
}

const HOOK = 'helm.sh/hook';

/**
 * Objects of a manifest in its order, without hooks: Helm runs those, and they belong to no release.
 * @throws ManifestUnreadable
 */
export function readManifest(manifest: string): ApiObject[] {
  return documentsOf(manifest)
    .flatMap((document) => (document === null ? [] : flatten(document)))
    .filter(({ metadata }) => metadata.annotations?.[HOOK] === undefined);
}

/**
 * Templates whose Secrets Helm has left out (`--hide-secret`), such as `chart/templates/secret.yaml`. What is in them is
 * neither known to be there nor to be gone.
 */
export function hiddenTemplates(manifest: string): ReadonlySet<string> {
  const hidden = manifest.matchAll(/^# Source: (.+)\n# HIDDEN: /gm);
  return new Set([...hidden].map(([, template = '']) => template));
}

/** The template that each Secret of a manifest comes from, by `namespace/name` as they stand there. */
export function secretsOf(manifest: string, templates: ReadonlySet<string>): ApiObject[] {
  return manifest
    .split(/^---\s*$/m)
    .filter((part) => templates.has(/^# Source: (.+)$/m.exec(part)?.[1] ?? ''))
    .flatMap(readManifest)
    .filter(({ kind, apiVersion }) => kind === 'Secret' && apiVersion === 'v1');
}

function documentsOf(manifest: string): unknown[] {
  try {
    return readHelmYaml(manifest);
  } catch (error) {
    throw new ManifestUnreadable(`The manifest is no YAML${placeOf(error)}`, { cause: error });
  }
}

/** What the parser says shows what stands there, which may be in a Secret. */
function placeOf(error: unknown): string {
  const { mark } = error as { mark?: { line?: number } };
  return mark?.line === undefined ? '' : `: see its line ${mark.line + 1}`;
}

function flatten(document: unknown): ApiObject[] {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new ManifestUnreadable('A document of the manifest is no object');
  const { apiVersion, kind, metadata, items } = document as Partial<ApiObject>;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw new ManifestUnreadable('A document of the manifest has no apiVersion or no kind');
  if (kind.endsWith('List') && Array.isArray(items)) return items.flatMap(flatten);
  if (typeof metadata?.name !== 'string' || metadata.name === '')
    throw new ManifestUnreadable(`The manifest has an object of the kind ${kind} without metadata.name`);
  return [document as ApiObject];
}
