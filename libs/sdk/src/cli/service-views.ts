import type {
  CatalogEntry,
  ContainerLog,
  KubernetesObject,
  Service,
  ServiceEvent,
  ServiceRevision,
} from '../api-types.ts';
import { localTime } from './measures.ts';
import { type Column, details, printable, table } from './table.ts';

type Endpoint = Service['endpoints'][number];
type Workload = Service['workloads'][number];
type Problem = Service['problems'][number];
interface Setting {
  name: string;
  default: string;
  description: string;
}

const objectName = ({ kind, namespace, name }: KubernetesObject): string =>
  `${kind} ${namespace === null ? name : `${namespace}/${name}`}`;
const chartNames = ({ charts }: Pick<Service, 'charts'>): string =>
  charts.map(({ chart }) => chart).join(', ');
const portNumbers = ({ ports }: Endpoint): string =>
  ports.map(({ port, protocol }) => (protocol === 'TCP' ? port : `${port}/${protocol}`)).join(',');

const SERVICES: readonly Column<Service>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'REVISION', value: ({ revision }) => revision, align: 'right' },
  { title: 'CHARTS', value: (service) => chartNames(service) || null },
  { title: 'ADDRESSES', value: ({ endpoints }) => outsideHosts(endpoints) || null },
  { title: 'UNDER WAY', value: ({ operation }) => operation?.kind ?? null },
];

const CATALOG: readonly Column<CatalogEntry>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'INSTALLED', value: ({ installed }) => (installed ? 'yes' : null) },
  { title: 'NEEDS', value: ({ dependsOn }) => dependsOn.join(', ') || null },
  { title: 'TITLE', value: ({ title }) => title },
];

const SETTINGS: readonly Column<Setting>[] = [
  { title: 'SETTING', value: ({ name }) => name },
  { title: 'DEFAULT', value: (setting) => setting.default },
  { title: 'MEANING', value: ({ description }) => description },
];

const WORKLOADS: readonly Column<Workload>[] = [
  { title: 'WORKLOAD', value: ({ object }) => objectName(object) },
  { title: 'READY', value: ({ ready }) => (ready ? 'yes' : 'no') },
  { title: 'DETAIL', value: ({ detail }) => detail },
];

const ENDPOINTS: readonly Column<Endpoint>[] = [
  { title: 'ENDPOINT', value: ({ name }) => name },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'ADDRESSES', value: ({ hosts }) => hosts.join(', ') || null },
  { title: 'PORTS', value: portNumbers },
];

const REVISIONS: readonly Column<ServiceRevision>[] = [
  { title: 'REVISION', value: ({ revision, current }) => (current ? `${revision}*` : revision) },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'WHEN', value: ({ at }) => localTime(at) },
  { title: 'CHARTS', value: chartNames },
  { title: 'REASON', value: ({ reason }) => reason },
];

const EVENTS: readonly Column<ServiceEvent>[] = [
  { title: 'WHEN', value: ({ at }) => localTime(at) },
  { title: 'TYPE', value: ({ type }) => type },
  { title: 'CODE', value: ({ code }) => code },
  { title: 'OBJECT', value: ({ object }) => objectName(object) },
  { title: 'TIMES', value: ({ count }) => count, align: 'right' },
  { title: 'MESSAGE', value: ({ message }) => message },
];

export const serviceTable = (services: readonly Service[]): string => table(SERVICES, services);
export const catalogTable = (entries: readonly CatalogEntry[]): string => table(CATALOG, entries);
export const historyTable = (revisions: readonly ServiceRevision[]): string => table(REVISIONS, revisions);
export const eventTable = (events: readonly ServiceEvent[]): string => table(EVENTS, events);

export function serviceDetails(service: Service): string {
  const { workloads, endpoints, problems } = service;
  return [
    details([
      ['service', service.name],
      ['title', service.title],
      ['state', service.state],
      ['', service.message],
      ['revision', service.revision],
      ['charts', chartNames(service)],
      ['settings', given(service.settings)],
      ['values', given(service.values)],
      ['under way', service.operation === null ? null : `${service.operation.kind} ${service.operation.id}`],
      ['drift', driftOf(service)],
      ['as of', localTime(service.observedAt)],
    ]),
    workloads.length === 0 ? '' : `\n${table(WORKLOADS, workloads)}`,
    endpoints.length === 0 ? '' : `\n${table(ENDPOINTS, endpoints)}`,
    ...problems.map(problemText),
  ].join('');
}

export function entryDetails(entry: CatalogEntry): string {
  const { charts, aliases, dependsOn } = entry;
  const shown = charts?.map(({ name, version }) => (version === null ? name : `${name} ${version}`));
  return [
    details([
      ['service', entry.name],
      ['title', entry.title],
      ['also', aliases.join(', ')],
      ['namespace', entry.namespace],
      ['needs', dependsOn.join(', ')],
      ['charts', shown?.join(', ') ?? null],
      ['installed', entry.installed ? 'yes' : 'no'],
    ]),
    `\n${printable(entry.description)}\n\n`,
    table(SETTINGS, settingsOf(entry)),
  ].join('');
}

export function logText(logs: readonly ContainerLog[]): string {
  return logs
    .map(({ namespace, pod, container, lines, because }) => {
      const shown = lines.map((line) => `${line.replace(/[^\P{Cc}\t]/gu, '')}\n`);
      const none = because === null ? '' : `(${printable(because)})\n`;
      return `==> ${namespace}/${pod} ${container} <==\n${shown.join('')}${none}`;
    })
    .join('\n');
}

const outsideHosts = (endpoints: readonly Endpoint[]): string => {
  const outside = endpoints.filter(({ kind }) => kind === 'LoadBalancer' || kind === 'Ingress');
  return [...new Set(outside.flatMap(({ hosts }) => hosts))].join(', ');
};

const given = (fields: Record<string, unknown>): string | null =>
  Object.keys(fields).length === 0 ? null : JSON.stringify(fields);

function driftOf({ drift }: Service): string | null {
  if (drift === null) return null;
  const found = drift.steps.map(({ detail, step }) => detail ?? step).join(', ') || 'none';
  return `${found} (${localTime(drift.checkedAt) ?? ''})`;
}

function problemText({ object, code, message, lastLines }: Problem): string {
  const lines = lastLines.map((line) => `    ${printable(line)}\n`).join('');
  return `\n${printable(`${objectName(object)}: ${code}: ${message}`)}\n${lines}`;
}

function settingsOf({ settingsSchema, defaults }: CatalogEntry): Setting[] {
  const properties = (settingsSchema.properties ?? {}) as Record<string, { description?: string }>;
  return Object.entries(properties).map(([name, { description = '' }]) => ({
    ...{ name, description },
    default: name in defaults ? JSON.stringify(defaults[name]) : '(must be given)',
  }));
}
