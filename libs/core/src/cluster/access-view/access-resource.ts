import { z } from 'zod';

export const accessRuleSchema = z
  .object({
    verbs: z.array(z.string()),
    apiGroups: z.array(z.string()).describe('An empty name is the core’s group: pods, services, secrets …'),
    resources: z.array(z.string()),
    resourceNames: z.array(z.string()).describe('The only objects that it is about; empty: all.'),
    from: z.string().nullable().describe('The cluster role that an aggregated role has it from.'),
  })
  .meta({ id: 'AccessRule' });
export type AccessRule = z.output<typeof accessRuleSchema>;

export const accessGrantSchema = z
  .object({
    subject: z.object({
      kind: z.enum(['User', 'Group', 'ServiceAccount']),
      name: z.string(),
      namespace: z.string().nullable().describe('Of a service account.'),
    }),
    binding: z.object({
      kind: z
        .enum(['RoleBinding', 'ClusterRoleBinding'])
        .describe('A `ClusterRoleBinding` holds in every namespace.'),
      name: z.string(),
    }),
    role: z.object({
      kind: z.enum(['Role', 'ClusterRole']),
      name: z.string(),
      missing: z
        .boolean()
        .describe('There is no such role: nothing is granted, until somebody makes one of that name.'),
      aggregated: z.boolean().describe('Its rules are gathered from other cluster roles by their labels.'),
    }),
    rules: z.array(accessRuleSchema).describe('Those that answer the question, where one was asked.'),
  })
  .meta({ id: 'AccessGrant' });
export type AccessGrant = z.output<typeof accessGrantSchema>;

export const namespaceAccessSchema = z
  .object({
    namespace: z.string(),
    items: z.array(accessGrantSchema),
    systemLeftOut: z.int().describe("Bindings of Kubernetes' own parts that were left out."),
  })
  .meta({ id: 'NamespaceAccess' });
export type NamespaceAccess = z.output<typeof namespaceAccessSchema>;

export const accessQuerySchema = z.strictObject({
  subject: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe(
      '`user:NAME`, `group:NAME`, `serviceaccount:NAMESPACE/NAME`, or the bare name of a subject of any kind.',
    ),
  verb: z
    .string()
    .regex(/^([a-z]{1,63}|\*)$/, 'must be a verb such as "delete", or "*"')
    .optional()
    .describe('`get`, `list`, `watch`, `create`, `update`, `patch`, `delete` …'),
  resource: z
    .string()
    .regex(
      /^(\*|[a-z0-9-]{1,63}(\.[a-z0-9.-]{1,253})?(\/[a-z0-9-]{1,63})?)$/,
      'must be a resource such as "pods", "pods/log" or "deployments.apps"',
    )
    .optional()
    .describe('As `kubectl` has it: `pods`, `pods/log`, `deployments.apps`, `po`.'),
  system: z
    .stringbool({ truthy: ['true'], falsy: ['false'] })
    .default(false)
    .describe("Whether bindings of Kubernetes' own parts are among them."),
});
export type AccessQuery = z.output<typeof accessQuerySchema>;
