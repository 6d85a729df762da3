import { createHash } from 'node:crypto';
import process from 'node:process';
import type { Platform } from '../platform.ts';
import { downloadFiles } from './download-files.ts';

/** Node, Deno and Bun. */
export const nodePlatform: Platform = {
  environment: (name) => process.env[name],
  sha256: () => {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
  },
  streamsRequestBodies: true,
  download: downloadFiles,
};
