import { describe, expect, it } from 'vitest';
import { isHalfWay, planRecovery, wasDeployed } from './helm-recovery.ts';
import type { Release, ReleaseState } from './helm-releases.ts';

const history = (...rows: [ReleaseState, string][]): Release[] =>
  rows.map(([state, description], index) => ({
    revision: index + 1,
    state,
    chart: 'hello-0.1.0',
    appVersion: null,
    description,
    updatedAt: new Date(0),
  }));
const deployed: [ReleaseState, string] = ['deployed', 'Upgrade complete'];
const superseded: [ReleaseState, string] = ['superseded', 'Install complete'];

describe('the recovery of a release', () => {
  it.each<[string, Release[], ReturnType<typeof planRecovery>]>([
    ['nothing of which is there', [], { kind: 'nothing' }],
    ['that is deployed', history(deployed), { kind: 'nothing' }],
    ['that has failed', history(deployed, ['failed', 'x']), { kind: 'nothing' }],
    [
      'whose first installation was killed',
      history(['pending-install', 'Initial install underway']),
      { kind: 'uninstall' },
    ],
    [
      'whose upgrade was killed',
      history(superseded, deployed, ['failed', 'x'], ['pending-upgrade', 'Preparing upgrade']),
      { kind: 'roll_back', to: 2 },
    ],
    [
      'whose upgrade was killed when the revision before was no longer deployed',
      history(superseded, ['superseded', 'Upgrade complete'], ['pending-upgrade', 'Preparing upgrade']),
      { kind: 'roll_back', to: 2 },
    ],
    [
      'whose superseded revisions were never deployed',
      history(
        ['superseded', 'Release "x" failed: context canceled'],
        ['superseded', 'Preparing upgrade'],
        ['pending-upgrade', 'Preparing upgrade'],
      ),
      { kind: 'uninstall' },
    ],
    [
      'whose rollback was killed: it is carried through',
      history(superseded, deployed, ['pending-rollback', 'Rollback to 1']),
      { kind: 'roll_back', to: 1 },
    ],
    [
      'whose rollback to a rollback that was killed was killed',
      history(
        superseded,
        deployed,
        ['pending-rollback', 'Rollback to 1'],
        ['pending-rollback', 'Rollback to 3'],
      ),
      { kind: 'roll_back', to: 1 },
    ],
    [
      'whose rollback was going to what is no longer kept, or was never deployed',
      history(['failed', 'x'], deployed, ['pending-rollback', 'Rollback to 1']),
      { kind: 'roll_back', to: 2 },
    ],
    [
      'whose uninstallation was killed',
      history(superseded, ['uninstalling', 'Deletion in progress (or silently failed)']),
      { kind: 'uninstall' },
    ],
  ])('%s', (_, revisions, plan) => {
    expect(planRecovery(revisions)).toEqual(plan);
  });

  it('takes an own description for that of a deployment', () => {
    expect(wasDeployed({ state: 'superseded', description: 'settings changed by ada' })).toBe(true);
    expect(wasDeployed({ state: 'failed', description: 'settings changed by ada' })).toBe(false);
  });

  it('is for what is pending or being uninstalled', () => {
    expect(isHalfWay({ state: 'pending-rollback' })).toBe(true);
    expect(isHalfWay({ state: 'uninstalling' })).toBe(true);
    expect(isHalfWay({ state: 'failed' })).toBe(false);
  });
});
