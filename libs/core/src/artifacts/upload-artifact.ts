import type { Clock, IdGenerator } from '../vocabulary/clock.ts';
import type { Artifact, ArtifactContents, ArtifactStore } from './artifact.ts';

export interface UploadArtifactPorts {
  artifacts: ArtifactStore;
  contents: ArtifactContents;
  ids: IdGenerator;
  clock: Clock;
}

export interface Upload {
  ownerId: string;
  name: string;
  content: AsyncIterable<Uint8Array>;
  /** Size that the content may have at most, in bytes. */
  maximumBytes: number;
  /** What the caller announced, to be checked. */
  expectedSha256?: string | undefined;
}

/** Keeps an uploaded file. The same file under the same name is the same artifact, so that an upload can be repeated. */
export class UploadArtifact {
  readonly #ports: UploadArtifactPorts;

  constructor(ports: UploadArtifactPorts) {
    this.#ports = ports;
  }

  /** @throws Problem `payload_too_large`, `digest_mismatch` */
  async run({ ownerId, name, content, maximumBytes, expectedSha256 }: Upload): Promise<Artifact> {
    const { artifacts, contents, ids, clock } = this.#ports;
    const { sha256, size } = await contents.store(content, { maximumBytes, expectedSha256 });
    // Two uploads at the very same time may make two artifacts, which costs nobody anything: they share their content.
    const same = await artifacts.findSame({ ownerId, name, sha256 });
    if (same !== undefined) return same;
    const artifact: Artifact = { id: ids.next('art'), ownerId, name, size, sha256, createdAt: clock.now() };
    await artifacts.insert(artifact);
    return artifact;
  }
}
