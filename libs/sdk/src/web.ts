/** `@bramble/sdk` for browsers and other runtimes that have the web's APIs alone. */
import { BrambleClient } from './bramble-client.ts';
import type { BrambleOptions } from './bramble-options.ts';
import { webPlatform } from './web/platform.ts';

export * from './exports.ts';
export { fileFrom } from './web/file-from.ts';

/** A client of the Bramble API. */
export class Bramble extends BrambleClient {
  /** @throws ConfigurationError where an option is missing or wrong */
  constructor(options: BrambleOptions = {}) {
    super(options, webPlatform);
  }
}
