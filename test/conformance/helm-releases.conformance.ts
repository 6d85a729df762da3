import { beforeAll, describe, expect, it } from 'vitest';
import type { ChartReference } from '#core/services/catalog/catalog-entry';
import {
  type ApplyOptions,
  type HelmOutcome,
  type HelmReleases,
  type ReleaseName,
  REVISIONS_KEPT,
} from '#core/services/helm-releases';
import type { Answer } from '#core/vocabulary/answer';

export interface HelmUnderTest {
  releases: HelmReleases;
  /** A chart whose values `colour` and `secret` are in what it makes, `secret` in a Secret. */
  chart: ChartReference;
  /** Where releases go; nobody else uses it. */
  namespace: string;
  /** Values that the cluster refuses. */
  broken: Record<string, unknown>;
  /** Applies, and has Helm killed in the middle of it. */
  killInApply(release: ReleaseName): Promise<void>;
  /** Rolls back, and has Helm killed in the middle of it. */
  killInRollBack(release: ReleaseName, revision: number): Promise<void>;
}

/** What every `HelmReleases` owes to those who use it. */
export function describeHelmReleases(
  name: string,
  { create }: { create: () => Promise<HelmUnderTest> },
): void {
  describe(name, () => {
    let tested: HelmUnderTest;
    let releases: HelmReleases;
    beforeAll(async () => {
      tested = await create();
      releases = tested.releases;
    });

    const limits = { timeoutMs: 60_000 };
    let count = 0;
    const newRelease = (): ReleaseName => ({ name: `release-${++count}`, namespace: tested.namespace });
    const options = (values: Record<string, unknown>, more: Partial<ApplyOptions> = {}): ApplyOptions => ({
      ...{ chart: tested.chart, values, ...limits },
      ...more,
    });
    const apply = (release: ReleaseName, values: Record<string, unknown> = {}) =>
      releases.apply(release, options(values));
    const states = async (release: ReleaseName) =>
      present(await releases.history(release)).map(({ revision, state }) => [revision, state]);

    it('has nothing of a release that is not there, and removes it all the same', async () => {
      const release = newRelease();
      expect(await releases.find(release)).toEqual({ kind: 'absent' });
      expect(await releases.history(release)).toEqual({ kind: 'absent' });
      expect(await releases.manifest(release)).toEqual({ kind: 'absent' });
      expect(await releases.uninstall(release, limits)).toEqual({ kind: 'done', value: true });
      expect(await releases.recover(release, limits)).toEqual({ kind: 'done', value: { kind: 'nothing' } });
    });

    it('installs, upgrades with no value of the revision before, rolls back and uninstalls', async () => {
      const release = newRelease();
      const installed = done(await apply(release, { colour: 'green' }));
      expect(installed).toMatchObject({ revision: 1, state: 'deployed', description: 'Install complete' });
      expect(Math.abs(installed.updatedAt.getTime() - Date.now())).toBeLessThan(60_000);
      expect(present(await releases.manifest(release))).toContain('green');

      const why = options({}, { description: 'asked for by ada' });
      const upgraded = done(await releases.apply(release, why));
      expect(upgraded).toMatchObject({ revision: 2, state: 'deployed', description: 'asked for by ada' });
      expect(present(await releases.manifest(release))).not.toContain('green');
      expect(present(await releases.manifest(release, 1))).toContain('green');
      expect(await releases.manifest(release, 7)).toEqual({ kind: 'absent' });

      const back = done(await releases.rollBack(release, 1, limits));
      expect(back).toMatchObject({ revision: 3, state: 'deployed', description: 'Rollback to 1' });
      expect(present(await releases.manifest(release))).toContain('green');
      expect(await states(release)).toEqual([
        [1, 'superseded'],
        [2, 'superseded'],
        [3, 'deployed'],
      ]);
      expect(present(await releases.find(release))).toEqual(back);

      expect(done(await releases.uninstall(release, limits))).toBe(true);
      expect(await releases.find(release)).toEqual({ kind: 'absent' });
    });

    it('shows what would be sent, with secrets only where they are asked for', async () => {
      const release = newRelease();
      const what = options({ colour: 'green', secret: 'open-sesame' }, { secrets: ['open-sesame'] });
      const shown = done(await releases.render(release, what));
      expect(shown).toContain('green');
      expect(shown).not.toContain('open-sesame');
      expect(done(await releases.render(release, { ...what, withSecrets: true }))).toContain('open-sesame');
      expect(await releases.find(release)).toEqual({ kind: 'absent' });
    });

    it('keeps what has failed in the history, and goes on from there', async () => {
      const release = newRelease();
      await apply(release);
      expect(await apply(release, tested.broken)).toMatchObject({ kind: 'failed', code: 'other' });
      expect(await states(release)).toEqual([
        [1, 'deployed'],
        [2, 'failed'],
      ]);
      expect(done(await apply(release))).toMatchObject({ revision: 3, state: 'deployed' });
      expect(await releases.rollBack(release, 77, limits)).toMatchObject({
        kind: 'failed',
        message: expect.stringMatching(/no 77 version/) as string,
      });
    });

    it('does nothing when it is cancelled before', async () => {
      const release = newRelease();
      const signal = AbortSignal.abort();
      const ended = { kind: 'ended', because: 'it was cancelled' };
      expect(await releases.apply(release, options({}, { signal }))).toEqual(ended);
      expect(await releases.find(release)).toEqual({ kind: 'absent' });
      await apply(release);
      expect(await releases.uninstall(release, { ...limits, signal })).toEqual(ended);
      expect(await states(release)).toEqual([[1, 'deployed']]);
    });

    it('uninstalls a first installation that was killed', async () => {
      const release = newRelease();
      await tested.killInApply(release);
      expect(await states(release)).toEqual([[1, 'pending-install']]);
      expect(await apply(release)).toMatchObject({ kind: 'failed', code: 'busy' });
      const recovered = done(await releases.recover(release, limits));
      expect(recovered).toEqual({ kind: 'uninstalled', withoutHooks: false });
      expect(await releases.find(release)).toEqual({ kind: 'absent' });
      expect(done(await apply(release))).toMatchObject({ revision: 1, state: 'deployed' });
    });

    it('takes an upgrade that was killed back to what was deployed', async () => {
      const release = newRelease();
      await apply(release, { colour: 'green' });
      await apply(release, tested.broken);
      await tested.killInApply(release);
      expect((await states(release)).at(-1)).toEqual([3, 'pending-upgrade']);
      expect(await apply(release)).toMatchObject({ kind: 'failed', code: 'busy' });
      expect(done(await releases.recover(release, limits))).toMatchObject({
        ...{ kind: 'rolled_back', to: 1, withoutHooks: false },
        release: { revision: 4, state: 'deployed' },
      });
      expect(present(await releases.manifest(release))).toContain('green');
      expect(done(await releases.recover(release, limits))).toEqual({ kind: 'nothing' });
      expect(done(await apply(release))).toMatchObject({ revision: 5, state: 'deployed' });
    });

    it('carries a rollback through that was killed, and not back to what it was leaving', async () => {
      const release = newRelease();
      await apply(release, { colour: 'green' });
      await apply(release, { colour: 'red' });
      await tested.killInRollBack(release, 1);
      expect(await states(release)).toEqual([
        [1, 'superseded'],
        [2, 'deployed'],
        [3, 'pending-rollback'],
      ]);
      expect(done(await releases.recover(release, limits))).toMatchObject({ kind: 'rolled_back', to: 1 });
      expect(present(await releases.manifest(release))).toContain('green');
    });

    it('keeps a number of revisions, oldest first', async () => {
      const release = newRelease();
      for (let turn = 0; turn < REVISIONS_KEPT + 2; turn++) await apply(release);
      const kept = await states(release);
      expect(kept).toHaveLength(REVISIONS_KEPT);
      expect(kept[0]).toEqual([3, 'superseded']);
      expect(kept.at(-1)).toEqual([REVISIONS_KEPT + 2, 'deployed']);
    });
  });
}

function done<T>(outcome: HelmOutcome<T>): T {
  if (outcome.kind === 'done') return outcome.value;
  throw new Error(`it was not done: ${JSON.stringify(outcome)}`);
}

function present<T>(answer: Answer<T>): T {
  if (answer.kind === 'present') return answer.value;
  throw new Error(`there is no answer: ${JSON.stringify(answer)}`);
}
