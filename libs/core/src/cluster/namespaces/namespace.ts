import { z } from 'zod';

export const clusterNamespaceSchema = z
  .object({
    name: z.string(),
    labels: z.record(z.string(), z.string()),
    phase: z.string().describe('`Active`, or `Terminating` while what is in it is being removed.'),
    createdAt: z.iso.datetime().nullable(),
    protected: z
      .boolean()
      .describe("Kubernetes' own, `default`, or the one that Bramble runs in: Bramble never removes it."),
    pods: z.int().describe('Pods that have not ended.'),
  })
  .meta({ id: 'ClusterNamespace' });
export type ClusterNamespace = z.output<typeof clusterNamespaceSchema>;

export const clusterNamespaceListSchema = z
  .object({ items: z.array(clusterNamespaceSchema).describe('In order of name.') })
  .meta({ id: 'ClusterNamespaceList' });
export type ClusterNamespaceList = z.output<typeof clusterNamespaceListSchema>;

/** A namespace as the API server has it. */
export type ObservedNamespace = Omit<ClusterNamespace, 'protected'>;

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ */
export const namespaceNameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be the name of a namespace');

/**
 * Whether a namespace is not to be removed, nor taken for a service.
 * @param own the one that Bramble runs in; null where that is outside of the cluster
 */
export const isProtectedNamespace = (name: string, own: string | null): boolean =>
  name === 'default' || name.startsWith('kube-') || name === own;
