import { z } from 'zod';
import { reasonSchema } from '../jobs/job.ts';

/** A node as Kubernetes sees it. */
export const kubernetesNodeSchema = z.object({
  name: z.string(),
  ready: z.boolean().describe('Whether its kubelet says, and lately, that pods can run there.'),
  unschedulable: z.boolean().describe('Cordoned: no further pod is placed there.'),
  problems: z.array(reasonSchema).describe('Conditions that are not as they should be.'),
  roles: z.array(z.string()).describe('By its labels: `control-plane`, `worker` …'),
  addresses: z.array(
    z.object({ type: z.string().describe('`InternalIP`, `ExternalIP`, `Hostname` …'), address: z.string() }),
  ),
  kubeletVersion: z.string().nullable(),
  architecture: z.string().nullable().describe('`arm64`, `amd64` …'),
  osImage: z.string().nullable().describe('Such as `Debian GNU/Linux 12 (bookworm)`.'),
  kernel: z.string().nullable(),
  cpus: z.number().nullable().describe('What the machine has, before anything is kept for the system.'),
  memoryMebibytes: z
    .int()
    .nullable()
    .describe('What the machine has, before anything is kept for the system.'),
  createdAt: z.iso.datetime().nullable().describe('When it joined.'),
});
export type KubernetesNode = z.output<typeof kubernetesNodeSchema>;

/** The cluster's nodes. */
export interface KubernetesNodes {
  /**
   * In order of name.
   * @throws KubernetesUnavailable where it could not be asked, or did not answer in time
   */
  list(): Promise<KubernetesNode[]>;
}

/** Kubernetes gave no answer, or none that is understood. The message says why, in words for an admin. */
export class KubernetesUnavailable extends Error {
  override readonly name = 'KubernetesUnavailable';
}
