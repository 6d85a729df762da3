import type { ServiceOperation } from '../operations/operation.ts';
import { StepProblem } from '../operations/step-problem.ts';
import type { StepEnd, TrackedOperation } from '../operations/tracked-operation.ts';
import { Problem } from '../vocabulary/problem.ts';
import { addressProblems } from './catalog/address-problems.ts';
import type { Catalog, ServiceSettings } from './catalog/catalog.ts';
import type { CatalogEntry } from './catalog/catalog-entry.ts';
import { unmetConstraints } from './catalog/constraints.ts';
import type { ServiceSite } from './catalog/service-site.ts';
import { known } from './known.ts';
import { openWanted, type Service } from './service.ts';
import type { ServiceRunPorts, ServiceWork } from './service-work.ts';

/**
 * What the cluster lacks is told before anything is sent there.
 * @throws StepProblem with all of it
 */
export async function checkCluster(
  ports: ServiceRunPorts,
  tracked: TrackedOperation<ServiceOperation>,
  entry: CatalogEntry,
  work: ServiceWork,
): Promise<StepEnd> {
  if (work.invalid !== null) throw new StepProblem(work.invalid);
  const capabilities = known(await ports.objects.capabilities());
  const asked = [entry.constraints, ...work.parts.flatMap(({ constraints }) => constraints ?? [])];
  const unmet = unmetConstraints(asked, capabilities, await ports.boardPages());
  const { name } = entry;
  const dependsOn = tracked.operation.parameters.force ? [] : entry.dependsOn;
  const present = await ports.services.list();
  const installed = present.filter(({ current }) => current !== null);
  const missing = dependsOn.filter((needed) => !installed.some((one) => one.name === needed));
  const problems = [
    ...unmet.filter(({ blocking }) => blocking).map(({ message }) => `It ${message}.`),
    ...(missing.length === 0 ? [] : [`It needs ${missing.join(' and ')}; install that first.`]),
    ...(await addressClashes(ports, entry, work, installed)),
  ];
  if (problems.length > 0) throw new StepProblem(problems.join('\n'));
  for (const { message } of unmet) await tracked.say(`"${name}" ${message}.\n`);
  return {
    state: 'unchanged',
    detail: `Kubernetes ${capabilities.version}, ${capabilities.nodes.length} nodes`,
  };
}

/** Addresses that this service would take from others. */
async function addressClashes(
  { catalog, secrets, site: siteOf }: ServiceRunPorts,
  entry: CatalogEntry,
  { wanted }: ServiceWork,
  installed: readonly Service[],
): Promise<string[]> {
  const site = await siteOf();
  const others = installed.flatMap(({ name, current }) => {
    const other = catalog.find(name);
    if (other === undefined || current === null || name === entry.name) return [];
    const { settings } = openWanted(name, current.sealedWanted, secrets);
    const chosen = validSettings(catalog, other, settings, site);
    return chosen === undefined ? [] : [{ entry: other, settings: chosen }];
  });
  const settings = catalog.settingsOf(entry, wanted?.settings ?? {}, site);
  return addressProblems([...others, { entry, settings }], site)
    .filter(({ users }) => users.some((user) => user.startsWith(`${entry.name}.`)))
    .map(({ message }) => `${message}.`);
}

/** @returns undefined where the catalogue does not take them any more: then nobody knows the addresses */
function validSettings(
  catalog: Catalog,
  entry: CatalogEntry,
  settings: Record<string, unknown>,
  site: ServiceSite,
): ServiceSettings | undefined {
  try {
    return catalog.settingsOf(entry, settings, site);
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}
