import { z } from 'zod';

/** Names of services and of releases: what Helm takes, and Kubernetes takes in labels. */
export const serviceNameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/, 'must be the name of a service, such as "registry"');

const valuesSchema = z.record(z.string(), z.unknown());
const reasonSchema = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'must be one line')
  .optional()
  .describe('Why it is done; the history shows it.');
const forceSchema = z
  .boolean()
  .default(false)
  .describe(
    'Whether fields that others own are taken over, and it is installed without services that it depends on, because ' +
      'something else does their work. Default: no, and what is in the way is told.',
  );
const keepFailedSchema = z
  .boolean()
  .default(false)
  .describe(
    'Whether what has failed stays as it is. Default: it is rolled back, or uninstalled where it is new.',
  );
const wantedShape = {
  settings: valuesSchema.describe("By the entry's `settingsSchema`; what is left out has its default."),
  values: z
    .record(z.string(), valuesSchema)
    .describe(
      'Values of the charts, by release, laid over those that the settings make; null takes one away.',
    ),
};

export const installRequestSchema = z
  .strictObject({
    name: serviceNameSchema.describe('Of the entry of the catalogue, or one of its aliases.'),
    settings: wantedShape.settings.default({}),
    values: wantedShape.values.default({}),
    reason: reasonSchema,
    force: forceSchema,
    keepFailed: keepFailedSchema,
  })
  .meta({ id: 'InstallRequest' });
export type InstallRequest = z.output<typeof installRequestSchema>;

export const upgradeRequestSchema = z
  .strictObject({
    settings: wantedShape.settings
      .optional()
      .describe('All of them. Left out: those that the service has. `(hidden)` keeps a secret.'),
    values: wantedShape.values
      .optional()
      .describe('All of them. Left out: those that the service has. `(hidden)` keeps a secret.'),
    reason: reasonSchema,
    force: forceSchema,
    keepFailed: keepFailedSchema,
  })
  .default({ force: false, keepFailed: false })
  .meta({ id: 'UpgradeRequest' });
export type UpgradeRequest = z.output<typeof upgradeRequestSchema>;

export const rollbackRequestSchema = z
  .strictObject({
    revision: z
      .int()
      .positive()
      .optional()
      .describe('Of the history of the service. Left out: the one before.'),
    reason: reasonSchema,
    force: forceSchema,
  })
  .default({ force: false })
  .meta({ id: 'RollbackRequest' });
export type RollbackRequest = z.output<typeof rollbackRequestSchema>;

export const uninstallRequestSchema = z
  .strictObject({
    reason: reasonSchema,
    force: z.boolean().default(false).describe('Whether it goes although other services depend on it.'),
  })
  .default({ force: false })
  .meta({ id: 'UninstallRequest' });
export type UninstallRequest = z.output<typeof uninstallRequestSchema>;
