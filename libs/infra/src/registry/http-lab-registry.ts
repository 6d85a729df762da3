import type { ImageReference } from '#core/services/mirror/image-reference';
import type { LabRegistry } from '#core/services/mirror/lab-registry';
import { absent, type Answer, present, unknown } from '#core/vocabulary/answer';

export interface HttpLabRegistryOptions {
  /** Such as `http://10.0.0.10:5000`. */
  url: string;
  /** Further names of it in references, such as `registry.home.lab`. */
  aliases: readonly string[];
  /** For one question. */
  timeoutMs: number;
}

/** Of images for one architecture and for several, in the formats of OCI and of Docker. */
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/**
 * A registry, asked without credentials.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#checking-if-content-exists-in-the-registry
 */
export class HttpLabRegistry implements LabRegistry {
  readonly hosts: readonly string[];
  readonly plainHttp: boolean;
  readonly #options: HttpLabRegistryOptions;

  constructor(options: HttpLabRegistryOptions) {
    const { host, protocol } = new URL(options.url);
    this.hosts = [host, ...options.aliases.filter((alias) => alias !== host)];
    this.plainHttp = protocol === 'http:';
    this.#options = options;
  }

  /** A reference with a tag and a digest is there when both are: nodes ask by the digest, and the tag keeps it. */
  async has(image: ImageReference): Promise<Answer<true>> {
    const { digest, tag } = image;
    const answers = await Promise.all(
      [digest, tag].filter((one) => one !== null).map((one) => this.#hasManifest(image.repository, one)),
    );
    return answers.find(({ kind }) => kind !== 'present') ?? present(true);
  }

  async #hasManifest(repository: string, reference: string): Promise<Answer<true>> {
    const { url, timeoutMs } = this.#options;
    const path = `/v2/${repository}/manifests/${encodeURIComponent(reference)}`;
    try {
      const answer = await fetch(new URL(path, url), {
        method: 'HEAD',
        headers: { accept: MANIFESTS },
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (answer.ok) return present(true);
      if (answer.status === 404) return absent;
      return unknown(`The registry ${url} answered with ${answer.status}`);
    } catch (error) {
      return unknown(`The registry ${url} cannot be asked: ${reasonOf(error)}`);
    }
  }
}

/** `fetch` says what was wrong in the cause of its error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
