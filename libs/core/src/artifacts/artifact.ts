import { z } from 'zod';
import type { OpenFile } from '../jobs/run-files.ts';
import type { Page } from '../vocabulary/page.ts';

/** An uploaded file: a name, and content that is found by its digest and kept once. */
export interface Artifact {
  id: string;
  ownerId: string;
  name: string;
  size: number;
  sha256: string;
  createdAt: Date;
}

export const artifactNameSchema = z
  .string()
  .min(1)
  .max(255)
  .refine(
    (name) => !/[/\\\p{Cc}]/u.test(name) && name !== '.' && name !== '..',
    'must be a plain file name without "/", "\\" or control characters',
  );

export const artifactResourceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    size: z.int().nonnegative().describe('Bytes.'),
    sha256: z.string().describe('Digest of the content, hexadecimal.'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Artifact' });
export type ArtifactResource = z.output<typeof artifactResourceSchema>;

export const toArtifactResource = ({ id, name, size, sha256, createdAt }: Artifact): ArtifactResource => ({
  id,
  name,
  size,
  sha256,
  createdAt: createdAt.toISOString(),
});

export interface ArtifactStore {
  insert(artifact: Artifact): Promise<void>;
  find(id: string): Promise<Artifact | undefined>;
  /** The oldest one of the owner's with this name and content. */
  findSame(artifact: Pick<Artifact, 'ownerId' | 'name' | 'sha256'>): Promise<Artifact | undefined>;
  findMany(ids: readonly string[]): Promise<Artifact[]>;
  list(ownerId: string, page: { limit: number; cursor?: string | undefined }): Promise<Page<Artifact>>;
}

/** Contents by digest, on the shared storage. */
export interface ArtifactContents {
  /**
   * Stores a stream; the same content is kept once. Nothing is left behind where it fails.
   * @throws Problem `payload_too_large`, or `digest_mismatch` where the content is not what the caller announced
   */
  store(
    content: AsyncIterable<Uint8Array>,
    limits: { maximumBytes: number; expectedSha256?: string | undefined },
  ): Promise<{ sha256: string; size: number }>;

  /** @throws Problem `not_found` */
  open(sha256: string): Promise<OpenFile>;
}
