import { z } from 'zod';
import { reasonSchema } from '../jobs/job.ts';
import {
  isOver,
  OPERATION_STATES,
  SERVICE_OPERATION_KINDS,
  type ServiceOperation,
} from '../operations/operation.ts';
import type { ContainerLog, ServiceEvent } from './service-objects.ts';
import type { CatalogEntry } from './catalog/catalog-entry.ts';
import { hideSecrets } from './hide-secrets.ts';
import {
  type AppliedPart,
  type Service,
  SERVICE_STATES,
  type ServiceObservation,
  type ServiceRevision,
  type WantedService,
} from './service.ts';
import { serviceDrift, serviceDriftSchema } from './service-drift.ts';

const timestamp = z.iso.datetime();
const settingsSchema = z
  .record(z.string(), z.unknown())
  .describe('As they were given; what was left out has its default. Secrets are `(hidden)`.');
const valuesSchema = z
  .record(z.string(), z.record(z.string(), z.unknown()))
  .describe('Values of the charts that were given, by release. Secrets are `(hidden)`.');
const revisionSchema = z.int().describe('Counts from 1 for each service.');

export const kubernetesObjectSchema = z
  .object({
    apiVersion: z.string(),
    kind: z.string(),
    namespace: z.string().nullable().describe('null where the kind has none.'),
    name: z.string(),
  })
  .meta({ id: 'KubernetesObject' });

export const appliedChartSchema = z
  .object({
    release: z.string(),
    namespace: z.string(),
    chart: z.string().describe('Name and version, such as `zot-0.1.122`.'),
    helmRevision: z.int().describe("Helm's own number."),
  })
  .meta({ id: 'AppliedChart' });

export const serviceSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    namespace: z.string().nullable(),
    state: z
      .enum(SERVICE_STATES)
      .describe(
        '`installing`: its first installation is under way; `degraded`: something of it is not ready, or it was not ' +
          'installed to the end; `unknown`: the cluster could not be asked.',
      ),
    message: z.string().nullable().describe('Why it is unknown, or has not come to its end.'),
    revision: revisionSchema.nullable().describe('null where its installation has not come to its end.'),
    charts: z.array(appliedChartSchema).describe('In the order of installation.'),
    settings: settingsSchema,
    values: valuesSchema,
    workloads: z.array(
      z.object({
        object: kubernetesObjectSchema,
        ready: z.boolean(),
        detail: z.string().describe('Such as `2 of 3 replicas are ready`.'),
      }),
    ),
    problems: z.array(
      reasonSchema.extend({
        object: kubernetesObjectSchema,
        lasting: z.boolean().describe('Whether it does not pass by itself as a rule.'),
        lastLines: z
          .array(z.string())
          .describe(
            'Last lines of the container that ended; none without the permission `services:inspect`.',
          ),
      }),
    ),
    endpoints: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(['LoadBalancer', 'NodePort', 'ClusterIP', 'Ingress']),
        hosts: z.array(z.string()).describe('Addresses or names; none as long as none was given.'),
        wanted: z.array(z.string()).describe('Addresses that a load balancer was asked for.'),
        ports: z.array(z.object({ name: z.string().nullable(), port: z.int(), protocol: z.string() })),
      }),
    ),
    observedAt: timestamp
      .nullable()
      .describe('When the cluster was looked at; null before the first look at this revision.'),
    drift: serviceDriftSchema
      .nullable()
      .describe('What the last check found; null before one of this revision.'),
    operation: z
      .object({ id: z.string(), kind: z.enum(SERVICE_OPERATION_KINDS), state: z.enum(OPERATION_STATES) })
      .nullable()
      .describe('What is being done with it; null where nothing is.'),
    createdAt: timestamp,
  })
  .meta({ id: 'Service' });
export type ServiceResource = z.output<typeof serviceSchema>;

export const serviceRevisionSchema = z
  .object({
    revision: revisionSchema,
    current: z.boolean(),
    kind: z.enum(['install', 'upgrade', 'rollback']),
    reason: z.string().nullable(),
    at: timestamp,
    operationId: z.string(),
    charts: z.array(appliedChartSchema),
    settings: settingsSchema,
    values: valuesSchema,
  })
  .meta({ id: 'ServiceRevision' });
export type ServiceRevisionResource = z.output<typeof serviceRevisionSchema>;

export const serviceEventSchema = z
  .object({
    at: timestamp,
    type: z.enum(['Normal', 'Warning']),
    code: z.string().describe("Kubernetes' reason, such as `FailedScheduling`."),
    message: z.string(),
    object: kubernetesObjectSchema,
    count: z.int().describe('How often it was seen.'),
  })
  .meta({ id: 'ServiceEvent' });
export type ServiceEventResource = z.output<typeof serviceEventSchema>;

export const containerLogSchema = z
  .object({
    namespace: z.string(),
    pod: z.string(),
    container: z.string(),
    lines: z.array(z.string()).describe('Oldest first; each cut after 2,000 characters.'),
    because: z.string().nullable().describe('Why there are none; null where there is nothing to say.'),
  })
  .meta({ id: 'ContainerLog' }) satisfies z.ZodType<ContainerLog>;

/** What is known of a service beside what the store has. */
export interface ServiceContext {
  /** undefined where this release of Bramble has it no more. */
  entry: CatalogEntry | undefined;
  /** What the current revision was asked to be; null where there is none. */
  wanted: WantedService | null;
  /** Newest first. */
  operations: readonly ServiceOperation[];
  /** Whether the lines that containers have written may be shown. */
  showLines: boolean;
}

export function toServiceResource(service: Service, context: ServiceContext): ServiceResource {
  const { entry, operations, showLines } = context;
  const { current } = service;
  const underWay = operations.find(({ state }) => !isOver(state));
  const observation = observationOf(service);
  return {
    name: service.name,
    title: entry?.title ?? service.name,
    namespace: entry?.namespace ?? current?.parts[0]?.namespace ?? null,
    ...stateOf(service, observation, underWay),
    revision: current?.revision ?? null,
    charts: chartsOf(current?.parts ?? []),
    ...shown(entry, context.wanted),
    workloads: observation?.workloads ?? [],
    problems: (observation?.problems ?? []).map((problem) => ({
      ...problem,
      lastLines: showLines ? problem.lastLines : [],
    })),
    endpoints: observation?.endpoints ?? [],
    observedAt: observation?.observedAt.toISOString() ?? null,
    drift: serviceDrift(current, operations),
    operation:
      underWay === undefined ? null : { id: underWay.id, kind: underWay.kind, state: underWay.state },
    createdAt: service.createdAt.toISOString(),
  };
}

export const toServiceRevision = (
  revision: ServiceRevision,
  {
    entry,
    wanted,
    current,
  }: { entry: CatalogEntry | undefined; wanted: WantedService; current: number | null },
): ServiceRevisionResource => ({
  revision: revision.revision,
  current: revision.revision === current,
  kind: revision.kind,
  reason: revision.reason,
  at: revision.at.toISOString(),
  operationId: revision.operationId,
  charts: chartsOf(revision.parts),
  ...shown(entry, wanted),
});

export const toServiceEvent = (event: ServiceEvent): ServiceEventResource => ({
  ...event,
  at: event.at.toISOString(),
});

/** What was seen before the current revision says nothing of it. */
const observationOf = ({ current, observation }: Service): ServiceObservation | null =>
  observation === null || (current !== null && observation.observedAt < current.at) ? null : observation;

function stateOf(
  { current }: Service,
  observation: ServiceObservation | null,
  underWay: ServiceOperation | undefined,
): Pick<ServiceResource, 'state' | 'message'> {
  if (current === null && underWay?.kind === 'install') return { state: 'installing', message: null };
  if (observation !== null) return { state: observation.state, message: observation.message };
  // A revision is stored when all of it is ready.
  if (current !== null) return { state: 'ready', message: null };
  return { state: 'degraded', message: 'Its installation has not come to its end.' };
}

const chartsOf = (parts: readonly AppliedPart[]): z.output<typeof appliedChartSchema>[] =>
  parts.map(({ release, namespace, chart, helmRevision }) => ({ release, namespace, chart, helmRevision }));

/** Without the entry nobody knows what is secret, and nothing is shown. */
function shown(
  entry: CatalogEntry | undefined,
  wanted: WantedService | null,
): Pick<ServiceResource, 'settings' | 'values'> {
  if (entry === undefined || wanted === null) return { settings: {}, values: {} };
  const values = Object.entries(wanted.values).map(([release, one]) => [release, hideSecrets(one)]);
  return {
    settings: hideSecrets(wanted.settings, entry.secretSettings),
    values: Object.fromEntries(values) as WantedService['values'],
  };
}
