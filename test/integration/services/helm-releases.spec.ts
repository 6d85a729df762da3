import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ChartReference } from '#core/services/catalog/catalog-entry';
import type { ApplyOptions, ReleaseName } from '#core/services/helm-releases';
import type { ChartCacheOptions } from '#infra/helm/chart-cache';
import { HelmCliReleases } from '#infra/helm/helm-cli-releases';
import { describeHelmReleases } from '../../conformance/helm-releases.conformance.ts';
import type { KubeLab } from '../../lab/kube/kube-lab.ts';
import { BUILD_TIMEOUT_MS, sharedControlPlane } from '../../lab/kube/shared-control-plane.ts';
import { ChartServer } from './chart-server.ts';
import { type AskedChange, HeldRequests } from './held-requests.ts';
import { writeHelloChart } from './hello-chart.ts';

const NAMESPACE = 'helm';
const chart: ChartReference = { kind: 'own', name: 'hello' };
const limits = { timeoutMs: 60_000 };

let lab: KubeLab;
let scratch: string;
let held: HeldRequests;
let releases: HelmCliReleases;

beforeAll(async () => {
  lab = await sharedControlPlane();
  scratch = mkdtempSync(join(tmpdir(), 'bramble-helm-test-'));
  writeHelloChart(join(scratch, 'charts/hello'));
  await lab.api.create('/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  held = await HeldRequests.in(lab, NAMESPACE);
  releases = new HelmCliReleases(options());
}, BUILD_TIMEOUT_MS);
afterAll(async () => {
  held.close();
  rmSync(scratch, { recursive: true, force: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  held.release();
});

const options = (more: Partial<ChartCacheOptions> = {}): ChartCacheOptions => ({
  program: lab.binaries.helm,
  access: { kind: 'kubeconfig', file: lab.kubeconfig },
  ownCharts: join(scratch, 'charts'),
  cacheDirectory: join(scratch, 'cache'),
  ...more,
});
const as = async (user: string) =>
  new HelmCliReleases(options({ access: { kind: 'kubeconfig', file: await lab.kubeconfigOf(user) } }));

let count = 0;
const newRelease = (): ReleaseName => ({ name: `hello-${++count}`, namespace: NAMESPACE });
const apply = (release: ReleaseName, values: ApplyOptions['values'] = {}, more: Partial<ApplyOptions> = {}) =>
  releases.apply(release, { chart, values, ...limits, ...more });

async function history(release: ReleaseName): Promise<string[]> {
  const answer = await releases.history(release);
  if (answer.kind !== 'present') return [answer.kind];
  return answer.value.map(({ revision, state }) => `${revision} ${state}`);
}

/** The processes of Helm that work on a release. */
function helmsOf({ name }: ReleaseName): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      const words = commandLineOf(pid);
      return words[0] === lab.binaries.helm && words.includes(name);
    })
    .map(Number);
}

function commandLineOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Begins something, and kills Helm when it asks for `moment`. */
async function killAt(
  moment: (change: AskedChange) => boolean,
  release: ReleaseName,
  begin: () => Promise<unknown>,
): Promise<void> {
  held.holdFirst(moment);
  const begun = begin();
  await expect.poll(() => held.isHolding).toBe(true);
  for (const pid of helmsOf(release)) process.kill(pid, 'SIGKILL');
  expect(await begun).toEqual({ kind: 'ended', because: 'SIGKILL has ended it' });
  held.release();
}

const anObject = ({ kind }: AskedChange): boolean => kind === 'ConfigMap';
const record =
  (operation: AskedChange['operation'], revision: number) =>
  (change: AskedChange): boolean =>
    change.operation === operation && change.name.endsWith(`.v${revision}`);

describeHelmReleases('releases of Helm on a real control plane', {
  create: async () => ({
    ...{ releases, chart, namespace: NAMESPACE, broken: { broken: 'text' } },
    killInApply: (release) => killAt(anObject, release, () => apply(release)),
    killInRollBack: (release, revision) =>
      killAt(anObject, release, () => releases.rollBack(release, revision, limits)),
  }),
});

describe('a release whose Helm is killed', () => {
  const undone = { kind: 'done', value: { kind: 'nothing' } };
  const uninstalled = { kind: 'done', value: { kind: 'uninstalled' } };
  const rolledBack = (to: number) => ({ kind: 'done', value: { kind: 'rolled_back', to } });

  it('is not there when it was killed before its first record', async () => {
    const release = newRelease();
    await killAt(record('CREATE', 1), release, () => apply(release));
    expect(await history(release)).toEqual(['absent']);
    expect(await releases.recover(release, limits)).toEqual(undone);
  });

  it('is pending up to the last record of an installation', async () => {
    const release = newRelease();
    await killAt(record('UPDATE', 1), release, () => apply(release));
    expect(await history(release)).toEqual(['1 pending-install']);
    expect(await releases.recover(release, limits)).toMatchObject(uninstalled);
    expect((await lab.api.ask('GET', objectOf(release))).status).toBe(404);
  });

  it('has nothing deployed in the last moment of an upgrade, and still goes back', async () => {
    const release = newRelease();
    await apply(release, { colour: 'green' });
    await killAt(record('UPDATE', 2), release, () => apply(release));
    expect(await history(release)).toEqual(['1 superseded', '2 pending-upgrade']);
    expect(await colourOf(release)).toBe('blue');
    expect(await releases.recover(release, limits)).toMatchObject(rolledBack(1));
    expect(await colourOf(release)).toBe('green');
    expect(await history(release)).toEqual(['1 superseded', '2 pending-upgrade', '3 deployed']);
  });

  it('goes where a rollback was going, whose last record is missing', async () => {
    const release = newRelease();
    await apply(release, { colour: 'green' });
    await apply(release, { colour: 'red' });
    await killAt(record('UPDATE', 3), release, () => releases.rollBack(release, 1, limits));
    expect(await history(release)).toEqual(['1 superseded', '2 superseded', '3 pending-rollback']);
    expect(await releases.recover(release, limits)).toMatchObject(rolledBack(1));
    expect(await colourOf(release)).toBe('green');
  });

  it('is recovered by the next one when the recovery is killed as well', async () => {
    const release = newRelease();
    await apply(release, { colour: 'green' });
    await killAt(anObject, release, () => apply(release, { colour: 'red' }));
    await killAt(anObject, release, () => releases.recover(release, limits));
    expect(await history(release)).toEqual(['1 deployed', '2 pending-upgrade', '3 pending-rollback']);
    expect(await releases.recover(release, limits)).toMatchObject(rolledBack(1));
    expect(await colourOf(release)).toBe('green');
  });

  it('is uninstalled to the end when that was begun', async () => {
    const release = newRelease();
    await apply(release);
    await killAt(anObject, release, () => releases.uninstall(release, limits));
    expect(await history(release)).toEqual(['1 uninstalling']);
    expect(await apply(release)).toMatchObject({
      ...{ kind: 'failed', code: 'busy' },
      message: expect.stringMatching(
        /has no deployed releases\nIts uninstallation was not finished/,
      ) as string,
    });
    expect(await releases.recover(release, limits)).toMatchObject(uninstalled);
    expect(await history(release)).toEqual(['absent']);
  });

  it('is recovered without hooks when they never end', async () => {
    const release = newRelease();
    await apply(release, { hook: 'pre-rollback' });
    await killAt(anObject, release, () => apply(release, { colour: 'red' }));
    expect(await releases.recover(release, { timeoutMs: 1_000 })).toMatchObject({
      value: { kind: 'rolled_back', to: 1, withoutHooks: true },
    });
    expect(await colourOf(release)).toBe('blue');
  });

  it('ends with the worker that was killed, and can be gone on from', async () => {
    const release = newRelease();
    held.holdFirst(anObject);
    const source = `import { HelmCliReleases } from '#infra/helm/helm-cli-releases';
await new HelmCliReleases(${JSON.stringify(options())}).apply(${JSON.stringify(release)},
  ${JSON.stringify({ chart, values: {}, ...limits })});`;
    const program = ['--input-type=module', '--eval', source];
    const worker = spawn(process.execPath, program, {
      stdio: 'ignore',
      env: { ...process.env, TMPDIR: scratch },
    });
    await expect.poll(() => held.isHolding).toBe(true);
    expect(helmsOf(release)).toHaveLength(1);
    worker.kill('SIGKILL');
    await expect.poll(() => helmsOf(release)).toEqual([]);
    // On a busy machine it may end before it has noted that.
    expect(await history(release)).toEqual([expect.stringMatching(/^1 (failed|pending-install)$/)]);
    expect(await releases.recover(release, limits)).toMatchObject({ kind: 'done' });
  });

  it('has failed, and is not pending, when Helm was cancelled in order', async () => {
    const release = newRelease();
    const cancelling = new AbortController();
    held.holdFirst(anObject);
    const applied = apply(release, {}, { signal: cancelling.signal });
    await expect.poll(() => held.isHolding).toBe(true);
    cancelling.abort();
    expect(await applied).toEqual({ kind: 'ended', because: 'it was cancelled' });
    expect(await history(release)).toEqual(['1 failed']);
  });
});

describe('a second Helm on a release', () => {
  it('may not upgrade it', async () => {
    const release = newRelease();
    held.holdFirst(anObject);
    const first = apply(release);
    await expect.poll(() => held.isHolding).toBe(true);
    expect(await apply(release)).toMatchObject({
      ...{ kind: 'failed', code: 'busy' },
      message: expect.stringMatching(
        /another operation .* is in progress\nAnother Helm is at work/,
      ) as string,
    });
    held.release();
    expect(await first).toMatchObject({ kind: 'done' });
    expect(await history(release)).toEqual(['1 deployed']);
  });

  it('may roll it back all the same, so that Helm gives no protection', async () => {
    const release = newRelease();
    await apply(release, { colour: 'green' });
    held.holdFirst(anObject);
    const first = apply(release, { colour: 'red' });
    await expect.poll(() => held.isHolding).toBe(true);
    expect(await releases.rollBack(release, 1, limits)).toMatchObject({ kind: 'done' });
    held.release();
    await first;
    expect(await history(release)).toEqual(['1 superseded', '2 deployed', '3 deployed']);
  });
});

describe('what the cluster has against a release', () => {
  it('names the fields of others, and takes them over by force only', async () => {
    const release = newRelease();
    await apply(release);
    await lab.api.patch(`${objectOf(release)}?fieldManager=kubectl-edit`, { data: { colour: 'pink' } });
    expect(await apply(release, { colour: 'green' })).toEqual({
      ...{ kind: 'failed', code: 'conflict' },
      message:
        `Others own fields of the ConfigMap ${NAMESPACE}/${release.name} (v1) that this release sets: ` +
        '"kubectl-edit" owns .data.colour. Have them removed there, leave them out of the values, or force conflicts: ' +
        'then this release takes them over.',
    });
    expect(await colourOf(release)).toBe('pink');
    expect(await apply(release, { colour: 'green' }, { forceConflicts: true })).toMatchObject({
      kind: 'done',
    });
    expect(await colourOf(release)).toBe('green');
  });

  it('takes over what was applied by the client, as by Helm 3, and goes back to it', async () => {
    const release = newRelease();
    const before = ['--server-side=false', '--set=colour=green', `--namespace=${NAMESPACE}`];
    await lab.helm('install', release.name, join(scratch, 'charts/hello'), ...before);
    expect(await apply(release)).toMatchObject({ value: { revision: 2, state: 'deployed' } });
    expect(await colourOf(release)).toBe('blue');
    expect(await releases.rollBack(release, 1, limits)).toMatchObject({ value: { revision: 3 } });
    expect(await colourOf(release)).toBe('green');
  });

  it('takes no object that somebody else has made', async () => {
    const release = newRelease();
    await lab.api.create(`/api/v1/namespaces/${NAMESPACE}/configmaps`, { metadata: { name: release.name } });
    expect(await apply(release)).toMatchObject({ kind: 'failed', code: 'conflict' });
    expect(await history(release)).toEqual(['absent']);
  });

  it('tells what is forbidden, and takes it for neither absence nor success', async () => {
    const mallory = await as('mallory');
    const release = newRelease();
    await apply(release);
    const words = /User "mallory" cannot list resource "secrets" .* in the namespace "helm"/;
    const because = expect.stringMatching(words) as string;
    expect(await mallory.find(release)).toEqual({ kind: 'unknown', because });
    for (const refused of [
      await mallory.uninstall(release, limits),
      await mallory.apply(release, { chart, values: {}, ...limits }),
      await mallory.rollBack(release, 1, limits),
    ])
      expect(refused).toEqual({ kind: 'failed', code: 'forbidden', message: because });
    expect(await history(release)).toEqual(['1 deployed']);
  });

  it('tells what could not be deleted', async () => {
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;
    const metadata = { name: 'half' };
    await lab.api.create(`${rbac}/roles`, {
      metadata,
      rules: [
        { apiGroups: [''], resources: ['secrets'], verbs: ['*'] },
        { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
      ],
    });
    await lab.api.create(`${rbac}/rolebindings`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'half' },
      subjects: [{ kind: 'User', name: 'half' }],
    });
    const release = newRelease();
    await apply(release);
    expect(await (await as('half')).uninstall(release, limits)).toMatchObject({
      ...{ kind: 'failed', code: 'forbidden' },
      message: expect.stringMatching(/User "half" cannot delete resource "configmaps"/) as string,
    });
  });

  it('has a namespace first, and a name that is one', async () => {
    const nowhere = { name: 'hello', namespace: 'nowhere' };
    expect(await apply(nowhere)).toMatchObject({
      message: expect.stringMatching(/namespaces "nowhere" not found/) as string,
    });
    expect(await apply({ name: '--debug', namespace: NAMESPACE })).toMatchObject({
      message: expect.stringMatching(/^The name of the release has to be/) as string,
    });
  });

  it('does not let secrets into messages', async () => {
    const secrets = ['open-sesame'];
    const refused = await apply(newRelease(), { broken: ['open-sesame'] }, { secrets });
    expect(refused.kind).toBe('failed');
    expect(JSON.stringify(refused)).not.toContain('open-sesame');
  });

  it('lets no other process see values', async () => {
    const release = newRelease();
    held.holdFirst(anObject);
    const applied = apply(release, { secret: 'open-sesame' });
    await expect.poll(() => held.isHolding).toBe(true);
    const seen = helmsOf(release).flatMap((pid) =>
      ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8')),
    );
    held.release();
    expect(seen).toHaveLength(2);
    expect(seen.join()).not.toContain('open-sesame');
    expect(await applied).toMatchObject({ kind: 'done' });
  });

  it('is unknown while nobody answers, and where Helm is missing', async () => {
    const file = join(scratch, 'refused');
    writeFileSync(file, readFileSync(lab.kubeconfig, 'utf8').replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1'));
    const away = new HelmCliReleases(options({ access: { kind: 'kubeconfig', file } }));
    const release = newRelease();
    const because = expect.stringMatching(
      /unreachable: .* connection refused\nDoes the API server run/,
    ) as string;
    expect(await away.find(release)).toEqual({ kind: 'unknown', because });
    expect(await away.apply(release, { chart, values: {}, ...limits })).toEqual({
      ...{ kind: 'failed', code: 'unreachable' },
      message: because,
    });
    expect(await away.recover(release, limits)).toMatchObject({ kind: 'failed', code: 'unreachable' });
    const none = new HelmCliReleases(options({ program: '/nonexistent/helm' }));
    const missing = /there is no program \/nonexistent\/helm\..* BRAMBLE_HELM/;
    expect(await none.find(release)).toEqual({
      kind: 'unknown',
      because: expect.stringMatching(missing) as string,
    });
    expect(await none.apply(release, { chart, values: {}, ...limits })).toMatchObject({ code: 'program' });
  });
});

describe('where charts come from', () => {
  let server: ChartServer;
  let digests: { archive: string; manifest: string };
  beforeAll(async () => {
    server = await ChartServer.start(lab, join(scratch, 'published'));
    digests = await server.publish(join(scratch, 'charts/hello'), 'hello', '1.2.3');
  });
  afterAll(() => server.close());

  const version = '1.2.3';
  const ofRepository = (digest: string | null) => ({
    kind: 'repository' as const,
    ...{ url: `https://${server.host}`, name: 'hello', version },
    digest,
  });
  const ofRegistry = (digest: string | null) => ({
    kind: 'oci' as const,
    ...{ url: `oci://${server.host}/charts/hello`, version },
    digest,
  });
  const wrong = `sha256:${'0'.repeat(64)}`;
  const applyChart = async (from: ChartReference) => {
    vi.stubEnv('SSL_CERT_FILE', lab.authority);
    return apply(newRelease(), {}, { chart: from });
  };

  it('fetches them once from a repository and from a registry', async () => {
    for (const from of [ofRepository(digests.archive), ofRegistry(digests.manifest), ofRegistry(null)]) {
      expect(await applyChart(from)).toMatchObject({ value: { chart: 'hello-1.2.3', appVersion: '7.1' } });
      const { length } = server.asked;
      expect(length).toBeGreaterThan(0);
      expect(await applyChart(from)).toMatchObject({ kind: 'done' });
      expect(server.asked).toHaveLength(length);
    }
  });

  it('refuses those that are not what their digest says', async () => {
    for (const [from, found] of [
      [ofRepository(wrong), digests.archive],
      [ofRegistry(wrong), digests.manifest],
    ] as const)
      expect(await applyChart(from)).toEqual({
        ...{ kind: 'failed', code: 'chart' },
        message: expect.stringMatching(
          new RegExp(`1\\.2\\.3 is not what it was: its digest is ${found}, and ${wrong} is expected`),
        ) as string,
      });
  });

  it('fetches one again that has rotted in the cache', async () => {
    const from = ofRepository(digests.archive);
    await applyChart(from);
    const cache = join(scratch, 'cache');
    for (const name of readdirSync(cache)) writeFileSync(join(cache, name), 'rotten');
    expect(await applyChart(from)).toMatchObject({ kind: 'done' });
  });

  it('tells which cannot be had, and takes no range for a version', async () => {
    const failure = async (from: ChartReference) => {
      const outcome = await applyChart(from);
      return outcome.kind === 'failed' ? `${outcome.code}: ${outcome.message}` : outcome.kind;
    };
    const missing = { ...ofRegistry(null), version: '9.9.9' };
    expect(await failure(missing)).toMatch(
      /^chart: The chart oci:\S+\/charts\/hello 9\.9\.9 cannot be had: .*not found/,
    );
    expect(await failure({ ...ofRepository(null), version: '^1.2' })).toMatch(
      /^chart: The version of the chart has to be a single one such as 1\.2\.3, not "\^1\.2"/,
    );
    expect(await failure(ofRegistry('sha256:abc'))).toMatch(/^chart: The digest of the chart has to be/);
    expect(await failure({ kind: 'own', name: 'none' })).toMatch(
      /^chart: The chart none, which comes with Bramble, is missing: there is no Chart\.yaml in /,
    );
  });
});

const objectOf = ({ name }: ReleaseName): string => `/api/v1/namespaces/${NAMESPACE}/configmaps/${name}`;

async function colourOf(release: ReleaseName): Promise<string | undefined> {
  const { data } = (await lab.api.get(objectOf(release))) as { data?: { colour?: string } };
  return data?.colour;
}
