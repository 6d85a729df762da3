import { type BoardStep, differs, right } from '../../board-step.ts';
import { parseUpgrades, upgradePackages, UPGRADES_PROBE } from './upgrade-packages.ts';

const NAMES_SHOWN = 8;

/** For the upgrade of a node; enrolment leaves the packages of a board as they are. */
export const upgradeStep: BoardStep = {
  name: 'packages',
  title: 'packages as they are in the sources',
  roles: null,
  probe: () => ({ script: UPGRADES_PROBE }),
  check(seen) {
    const { areFresh, packages } = parseUpgrades(seen);
    if (packages.length > 0) return differs(`${packages.length} to upgrade: ${shown(packages)}`);
    return areFresh ? right('nothing to upgrade') : differs('the package lists are older than an hour');
  },
  async apply(context) {
    const { packages, restartBecause } = await upgradePackages(context);
    const what =
      packages.length === 0 ? 'nothing to upgrade' : `${packages.length} upgraded: ${shown(packages)}`;
    return restartBecause === null ? what : `${what}; to restart, because ${restartBecause}`;
  },
};

const shown = (packages: readonly string[]): string =>
  packages.length <= NAMES_SHOWN
    ? packages.join(', ')
    : `${packages.slice(0, NAMES_SHOWN).join(', ')} and ${packages.length - NAMES_SHOWN} more`;
