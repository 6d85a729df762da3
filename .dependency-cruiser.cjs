/** The arrows of docs/architecture.md: core ← infra ← apps, the SDK alone, no cycles. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-imports-only-core-and-zod',
      severity: 'error',
      from: { path: '^libs/core/src', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^libs/core/src', '^node_modules/zod/'] },
    },
    {
      name: 'infra-does-not-import-apps',
      severity: 'error',
      from: { path: '^libs/infra' },
      to: { path: '^(apps|libs/sdk|test)/' },
    },
    {
      name: 'api-does-not-import-worker',
      severity: 'error',
      from: { path: '^apps/api' },
      to: { path: '^apps/worker' },
    },
    {
      name: 'worker-does-not-import-api',
      severity: 'error',
      from: { path: '^apps/worker' },
      to: { path: '^apps/api' },
    },
    {
      name: 'apps-do-not-import-the-sdk-or-tests',
      severity: 'error',
      from: { path: '^apps' },
      to: { path: '^(libs/sdk|test)/' },
    },
    {
      name: 'sdk-stands-alone',
      severity: 'error',
      from: { path: '^libs/sdk/src' },
      to: { path: '^(apps|libs/(core|infra)|test|scripts)/' },
    },
    {
      name: 'no-undeclared-dependency',
      severity: 'error',
      from: { path: '^(apps|libs)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['bramble-source', 'import', 'require', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
