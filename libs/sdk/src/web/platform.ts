import { UnsupportedError } from '../errors/bramble-error.ts';
import type { Platform } from '../platform.ts';
import { PortableSha256 } from './portable-sha256.ts';

/** Browsers, and whatever else has the web's APIs alone. */
export const webPlatform: Platform = {
  environment: () => undefined,
  sha256: () => new PortableSha256(),
  streamsRequestBodies: false,
  download: async () => {
    throw new UnsupportedError(
      'There is no directory to download to here; use "job.file(path)" or "bramble.artifacts.content(id)".',
    );
  },
};
