/** `@bramble/sdk` for Node, Deno and Bun. */
import { BrambleClient } from './bramble-client.ts';
import type { BrambleOptions } from './bramble-options.ts';
import { nodePlatform } from './node/platform.ts';

export * from './exports.ts';
export { fileFrom } from './node/file-from.ts';

/** A client of the Bramble API. */
export class Bramble extends BrambleClient {
  /** @throws ConfigurationError where an option is missing or wrong */
  constructor(options: BrambleOptions = {}) {
    super(options, nodePlatform);
  }
}
