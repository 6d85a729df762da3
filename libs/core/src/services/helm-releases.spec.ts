import { describe, expect, it } from 'vitest';
import { describeHelmReleases } from '../../../../test/conformance/helm-releases.conformance.ts';
import { FakeHelmReleases, type HelmCall } from '../../../../test/fakes/fake-helm-releases.ts';
import type { ReleaseName } from './helm-releases.ts';

const chart = { kind: 'own', name: 'hello' } as const;
const release: ReleaseName = { name: 'hello', namespace: 'test' };
const limits = { timeoutMs: 1_000 };

describeHelmReleases('releases in memory', {
  create: async () => {
    const releases = new FakeHelmReleases();
    const usual = (call: HelmCall) =>
      'values' in call && 'broken' in call.values ? { fails: { message: 'refused' } } : undefined;
    releases.script = usual;
    const kill = async (begin: () => Promise<unknown>): Promise<void> => {
      releases.script = () => ({ hangs: true });
      void begin();
      await Promise.resolve();
      releases.script = usual;
    };
    return {
      ...{ releases, chart, namespace: 'test', broken: { broken: true } },
      killInApply: (killed) => kill(() => releases.apply(killed, { chart, values: {}, ...limits })),
      killInRollBack: (killed, revision) => kill(() => releases.rollBack(killed, revision, limits)),
    };
  },
});

describe('the script of releases in memory', () => {
  it('lets a call hang until it is cancelled, and fails as it is told', async () => {
    const releases = new FakeHelmReleases();
    releases.script = ({ verb }) => (verb === 'apply' ? { hangs: true } : { fails: { code: 'forbidden' } });
    const cancelling = new AbortController();
    const { signal } = cancelling;
    const applied = releases.apply(release, { chart, values: {}, signal, ...limits });
    expect(await releases.find(release)).toMatchObject({ value: { state: 'pending-install' } });
    cancelling.abort();
    expect(await applied).toEqual({ kind: 'ended', because: 'it was cancelled' });
    expect(await releases.find(release)).toMatchObject({ value: { state: 'failed' } });
    expect(await releases.uninstall(release, limits)).toMatchObject({ kind: 'failed', code: 'forbidden' });
    expect(await releases.find(release)).toMatchObject({ value: { state: 'uninstalling' } });
    expect(releases.calls.map(({ verb }) => verb)).toEqual(['apply', 'uninstall']);
  });

  it('answers nothing while the cluster is away', async () => {
    const releases = new FakeHelmReleases();
    releases.away = 'no route to host';
    expect(await releases.find(release)).toEqual({ kind: 'unknown', because: 'no route to host' });
    expect(await releases.apply(release, { chart, values: {}, ...limits })).toMatchObject({
      kind: 'failed',
      code: 'unreachable',
    });
  });
});
