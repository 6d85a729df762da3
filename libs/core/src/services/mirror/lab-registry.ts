import type { Answer } from '../../vocabulary/answer.ts';
import type { ImageReference } from './image-reference.ts';

/** The registry of the lab. */
export interface LabRegistry {
  /** All names that it goes by in references, with their ports; the first is where images are copied to. */
  readonly hosts: readonly string[];
  /** Whether it speaks HTTP without TLS. */
  readonly plainHttp: boolean;
  /**
   * Whether it has an image.
   * @param image of the registry itself: `registry.home.lab/docker.io/library/nginx:1.27`
   */
  has(image: ImageReference): Promise<Answer<true>>;
}
