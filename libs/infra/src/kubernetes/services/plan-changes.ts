import type { ReleaseName } from '#core/services/helm-releases';
import type { ObjectChange, ObjectRef } from '#core/services/service-objects';
import { type ApiObject, groupOf } from './api-object.ts';
import type { ApiSession } from './api-session.ts';
import { type ApiKinds, discoverKinds } from './discovery.ts';
import { dryRun, objectChanges } from './dry-run.ts';
import { isKept, releaseOf } from './helm-ownership.ts';
import { type Located, keyOf, locate } from './locate.ts';
import { hiddenTemplates, readManifest, secretsOf } from './manifest.ts';

export interface Plan {
  release: ReleaseName;
  manifest: string;
  before: string;
  forceConflicts: boolean;
}

/**
 * What Helm would change, in the order of the manifest, and then what it would remove. What stays as it is, is left out.
 * @throws ApiRefusal, ManifestUnreadable
 */
export async function planChanges(api: ApiSession, plan: Plan): Promise<ObjectChange[]> {
  const kinds = await discoverKinds(api);
  const { release } = plan;
  const wanted = readManifest(plan.manifest).map((object) => locate(object, release, kinds));
  const known = readManifest(plan.before).map((object) => locate(object, release, kinds));
  const had = new Set(known.map(({ ref }) => keyOf(ref)));
  const brought = new Set(wanted.flatMap(({ object }) => definedKinds(object)));
  const applied = wanted.map((target) =>
    changeOf(api, target, { ...plan, isNew: !had.has(keyOf(target.ref)), brought }),
  );
  const removed = toRemove(plan, wanted, known, kinds).map((target) => removalOf(api, target));
  return (await Promise.all([...applied, ...removed])).filter((change) => change !== undefined);
}

interface Circumstances extends Plan {
  /** Whether the release does not have it yet. */
  isNew: boolean;
  /** `group/Kind` of the definitions in the manifest. */
  brought: ReadonlySet<string>;
}

async function changeOf(
  api: ApiSession,
  { object, ref, path }: Located,
  { release, forceConflicts, isNew, brought }: Circumstances,
): Promise<ObjectChange | undefined> {
  if (path === null) return unknownKind(ref, brought);
  const live = await api.get<ApiObject>(path);
  const stranger = live !== undefined && isNew ? ownerProblem(live, release) : null;
  if (stranger !== null) return told(ref, 'refused', stranger);
  const result = await dryRun(api, path, object, release, forceConflicts);
  switch (result.kind) {
    case 'nowhere':
      return told(ref, 'create', null);
    case 'refused':
      return told(ref, 'refused', result.message);
    case 'applied': {
      if (live === undefined) return told(ref, 'create', null);
      const fields = objectChanges(live, result.object);
      return fields.length === 0 ? undefined : { ...told(ref, 'change', null), fields };
    }
    case 'conflict': {
      const forced = await dryRun(api, path, object, release, true);
      const fields =
        forced.kind === 'applied' && live !== undefined ? objectChanges(live, forced.object) : [];
      const owners = result.fields.map((field) => `${field.path} belongs to ${field.manager}`);
      return { ...told(ref, 'conflict', owners.join('; ')), fields };
    }
  }
}

async function removalOf(api: ApiSession, { ref, path }: Located): Promise<ObjectChange | undefined> {
  const live = path === null ? undefined : await api.get<ApiObject>(path);
  return live === undefined || isKept(live) ? undefined : told(ref, 'remove', null);
}

function toRemove(
  { release, manifest, before }: Plan,
  wanted: readonly Located[],
  known: readonly Located[],
  kinds: ApiKinds,
): Located[] {
  const hidden = secretsOf(before, hiddenTemplates(manifest)).map((object) => locate(object, release, kinds));
  const staying = new Set([...wanted, ...hidden].map(({ ref }) => keyOf(ref)));
  return known.filter(({ ref }) => !staying.has(keyOf(ref)));
}

/** Helm takes over nothing that is not marked as its own: pkg/action/validate.go, `existingResourceConflict`. */
function ownerProblem(live: ApiObject, release: ReleaseName): string | null {
  const owner = releaseOf(live);
  if (owner?.name === release.name && owner.namespace === release.namespace) return null;
  const whose =
    owner === null ? 'no release of Helm' : `the release ${owner.name} in the namespace ${owner.namespace}`;
  return `It is there already and belongs to ${whose}: remove it, or give it another name`;
}

function unknownKind(ref: ObjectRef, brought: ReadonlySet<string>): ObjectChange {
  const isBrought = brought.has(`${groupOf(ref.apiVersion)}/${ref.kind}`);
  return isBrought
    ? told(ref, 'create', 'Its kind comes with this release, so the API server cannot check it before')
    : told(
        ref,
        'create',
        `The API server knows no kind ${ref.kind} in ${ref.apiVersion}: it has to come from the chart's own directory ` +
          'crds, or what brings it has to be installed before',
      );
}

function definedKinds({ kind, spec }: ApiObject): string[] {
  if (kind !== 'CustomResourceDefinition') return [];
  const { group, names } = spec as { group?: string; names?: { kind?: string } };
  return [`${group ?? ''}/${names?.kind ?? ''}`];
}

const told = (object: ObjectRef, change: ObjectChange['change'], message: string | null): ObjectChange => ({
  object,
  change,
  fields: [],
  message,
});
