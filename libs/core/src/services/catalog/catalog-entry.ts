import type { z } from 'zod';
import type { ServiceSite } from './service-site.ts';

/**
 * Where a chart comes from. `digest` is `sha256:` and 64 hex digits, or null where it is not known: of the package (.tgz)
 * in a repository, of the manifest in a registry, as `helm pull` prints it.
 */
export type ChartReference =
  /** A chart repository: `index.yaml` below the URL. */
  | { kind: 'repository'; url: string; name: string; version: string; digest: string | null }
  /** A registry: `oci://host/path/chart`. */
  | { kind: 'oci'; url: string; version: string; digest: string | null }
  /** A chart that comes with Bramble: a directory of `deploy/helm/services`. */
  | { kind: 'own'; name: string };

/** What a service asks of the cluster before anything is sent there. */
export interface ServiceConstraints {
  /** Architectures that all its images are there for, as Kubernetes names them. Default: every one. */
  architectures?: readonly ('amd64' | 'arm64' | 'arm')[];
  /** The largest page of memory that its programs work with, in bytes. The kernel of a Raspberry Pi 5 has 16,384. */
  largestPageSize?: number;
  /** What one node must have, in MiB, as its kernel counts: a board sold with 4 GiB has about 3,800. */
  memoryMebibytes?: number;
  /** The oldest release of Kubernetes, such as `1.30`. */
  kubernetes?: string;
  /** What the kernels of the nodes must be able to do. The API server does not tell, so that it is only pointed out. */
  kernelModules?: readonly string[];
  /** Kinds that something else must have brought, such as `monitoring.coreos.com/v1/ServiceMonitor`. */
  kinds?: readonly string[];
}

/** Values of a chart. */
export type ChartValues = Record<string, unknown>;

/** One release of Helm that a service consists of. */
export interface ServicePart {
  /** Name of the release, and of the part in `values`. */
  release: string;
  chart: ChartReference;
}

/** A part with the values that the settings make. */
export interface PartValues extends ServicePart {
  values: ChartValues;
  /** What these settings ask of the cluster, beside what the service asks anyway. */
  constraints?: ServiceConstraints;
}

/** A service that can be deployed. */
export interface CatalogEntry<Settings extends z.ZodObject = z.ZodObject> {
  name: string;
  /** Names that it is found by as well: those of the software, and of what it succeeds. */
  aliases: readonly string[];
  title: string;
  /** What it is for, and what an admin has to know, in a few sentences. */
  description: string;
  /** Namespace that its releases are in; it is made where it is missing. */
  namespace: string;
  /** Labels of the namespace, such as Pod Security's `pod-security.kubernetes.io/enforce`. */
  namespaceLabels: Readonly<Record<string, string>>;
  constraints: ServiceConstraints;
  /** Names of entries that have to be installed before. */
  dependsOn: readonly string[];
  /** Whether fields that other managers own are taken over. */
  forceConflicts: boolean;
  /** How long it may take until everything of it is ready. */
  timeoutMs: number;
  /** What is set as a rule; everything has a default that comes from the site or is stated here. */
  settings: (site: ServiceSite) => Settings;
  /**
   * Releases in the order in which they are installed. Each needs all before it to be ready: kinds, and the webhooks that
   * check objects of these kinds, come with the first.
   */
  parts: (settings: z.output<Settings>, site: ServiceSite) => PartValues[];
  /** Settings that are fixed addresses of the network; one that is null is not in use. */
  addressSettings: readonly (keyof z.output<Settings> & string)[];
  /** Settings that are secrets: they are stored sealed, and never shown. */
  secretSettings: readonly (keyof z.output<Settings> & string)[];
}

/** Keeps the type of the settings between `settings` and `parts`, and forgets it towards those who use the entry. */
export const catalogEntry = <Settings extends z.ZodObject>(entry: CatalogEntry<Settings>): CatalogEntry =>
  entry;
