import { bundle } from './bundle.ts';

await bundle(
  {
    api: 'apps/api/src/main.ts',
    worker: 'apps/worker/src/main.ts',
    migrate: 'apps/api/src/migrate.ts',
    'write-openapi': 'apps/api/src/openapi/write-document.ts',
  },
  'dist',
);
