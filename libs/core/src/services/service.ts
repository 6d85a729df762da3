import type { ObjectRef, ServiceEndpoint, WorkloadProblem, WorkloadState } from './service-objects.ts';

/** What an admin wants a service to be. */
export interface WantedService {
  /** By the entry's schema; what is left out has its default. */
  settings: Record<string, unknown>;
  /** Values of the charts, by release, laid over those that the settings make. */
  values: Record<string, Record<string, unknown>>;
}

/** One release of a service, as a revision has applied it. */
export interface AppliedPart {
  release: string;
  namespace: string;
  /** Helm's own number. */
  helmRevision: number;
  /** Name and version of the chart, such as `zot-0.1.75`. */
  chart: string;
  /** All that was sent to the cluster; without contents. */
  objects: ObjectRef[];
}

/** A state that a service was brought into. */
export interface ServiceRevision {
  /** Counts from 1 for each service. */
  revision: number;
  /** The operation that has brought it; one operation makes at most one. */
  operationId: string;
  kind: 'install' | 'upgrade' | 'rollback';
  reason: string | null;
  at: Date;
  /** {@link WantedService}, sealed. */
  sealedWanted: string;
  /** In the order of installation. */
  parts: AppliedPart[];
}

export const SERVICE_STATES = ['installing', 'ready', 'degraded', 'unknown'] as const;

/** How a service is, as the leader last saw it. */
export interface ServiceObservation {
  observedAt: Date;
  /** `degraded`: a workload is not ready; `unknown`: the cluster could not be asked. */
  state: 'ready' | 'degraded' | 'unknown';
  /** Why it is unknown. */
  message: string | null;
  workloads: WorkloadState[];
  problems: WorkloadProblem[];
  endpoints: ServiceEndpoint[];
}

/** A service that is installed, or of which something is. */
export interface Service {
  /** Of the catalogue's entry. */
  name: string;
  /** The newest that was brought about; null while the first installation is under way, or where it has failed. */
  current: ServiceRevision | null;
  /** null before the first look. */
  observation: ServiceObservation | null;
  createdAt: Date;
}

const wantedPurpose = (name: string): string => `service:${name}:wanted`;

/** Seals texts for one purpose, and opens them. */
interface Box {
  seal(secret: string, purpose: string): string;
  open(sealed: string, purpose: string): string;
}

export const sealWanted = (name: string, wanted: WantedService, secrets: Box): string =>
  secrets.seal(JSON.stringify(wanted), wantedPurpose(name));

/** @throws Error where it was sealed with a key that is not configured any more */
export const openWanted = (name: string, sealed: string, secrets: Box): WantedService =>
  JSON.parse(secrets.open(sealed, wantedPurpose(name))) as WantedService;

/** What is sealed with an older key, sealed with the newest one. */
export const resealWanted = (name: string, sealed: string, secrets: Box): string =>
  sealWanted(name, openWanted(name, sealed, secrets), secrets);
