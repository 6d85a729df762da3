/** A reference to an image, in full. */
export interface ImageReference {
  /** Host of the registry, with its port where it has one: `docker.io`, `registry.home.lab:5000`. */
  registry: string;
  /** Path in the registry: `library/nginx`. */
  repository: string;
  /** null where a digest alone is named. */
  tag: string | null;
  /** `sha256:…`; null where a tag alone is named. */
  digest: string | null;
}

const DOCKER_HUB = 'docker.io';
/** Names that Docker Hub has as well. */
const DOCKER_HUB_ALIASES = new Set(['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);
const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;
const PATH_PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * Reads a reference as container runtimes do: without a registry it is Docker Hub's, without a path there it is one of
 * `library`, and without tag and digest it is `latest`.
 * @returns undefined where it is none
 * @see https://github.com/distribution/reference/blob/v0.6.0/normalize.go
 */
export function readImageReference(text: string): ImageReference | undefined {
  const [named = '', digest = null, ...rest] = text.split('@');
  if (rest.length > 0 || (digest !== null && !DIGEST.test(digest))) return undefined;
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon === -1 ? null : named.slice(colon + 1);
  if (tag !== null && !TAG.test(tag)) return undefined;
  const { registry, path } = splitRegistry(colon === -1 ? named : named.slice(0, colon));
  const repository = registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path;
  if (!HOST.test(registry) || !repository.split('/').every((part) => PATH_PART.test(part))) return undefined;
  if (repository.length > 255) return undefined;
  return { registry, repository, tag: tag ?? (digest === null ? 'latest' : null), digest };
}

/** The first part is a host where it could not be one of a path: by a dot, a port, a capital, or as `localhost`. */
function splitRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  if (!isHost) return { registry: DOCKER_HUB, path: name };
  const registry = DOCKER_HUB_ALIASES.has(first) ? DOCKER_HUB : first;
  return { registry, path: name.slice(slash + 1) };
}

/** In full, so that two references to the same are equal: `docker.io/library/nginx:1.27`. */
export function formatImageReference({ registry, repository, tag, digest }: ImageReference): string {
  return (
    `${registry}/${repository}` + (tag === null ? '' : `:${tag}`) + (digest === null ? '' : `@${digest}`)
  );
}

/**
 * Where the lab's registry keeps an image of another registry, which is where the nodes look for it.
 * @param host of the lab's registry, with its port where it has one
 * @returns undefined where the other registry has a port, which cannot be part of a path
 */
export function mirroredReference(image: ImageReference, host: string): ImageReference | undefined {
  if (image.registry.includes(':')) return undefined;
  return { ...image, registry: host, repository: `${image.registry}/${image.repository}` };
}
