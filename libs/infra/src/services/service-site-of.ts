import type { SharedConfiguration } from '#core/configuration/configuration';
import type { Board } from '#core/nodes/board';
import type { BoardStore } from '#core/nodes/board-store';
import { placeOf } from '#core/nodes/steps/storage/storage-directories';
import type { ServiceSite } from '#core/services/catalog/service-site';

/** Label of the partition that is for volumes, where a storage board has one. */
const VOLUMES = 'volumes';

/** What services share: the configuration, and the boards as they are enrolled at the moment it is asked for. */
export const serviceSiteOf =
  (configuration: SharedConfiguration, boards: Pick<BoardStore, 'list'>) => async (): Promise<ServiceSite> =>
    serviceSite(configuration, await boards.list());

export const serviceSite = (configuration: SharedConfiguration, boards: readonly Board[]): ServiceSite => ({
  domain: configuration.BRAMBLE_DOMAIN,
  subnet: configuration.BRAMBLE_BOARD_SUBNET,
  storage: storageOf(boards),
  storageClass: configuration.BRAMBLE_STORAGE_CLASS ?? null,
  boards: boards.map(({ name, address, roles }) => ({ name, address, roles })),
  slurm: configuration.BRAMBLE_BOARD_SLURM ?? null,
});

/**
 * The first export of the first storage board by name; one that is called `volumes` goes before all others. In it, the
 * directory that everybody may write to: root of another machine is nobody there, and could make nothing at the top.
 */
function storageOf(boards: readonly Board[]): ServiceSite['storage'] {
  const exports = boards
    .filter(({ roles }) => roles.includes('storage'))
    .flatMap(({ address, storage }) =>
      (storage?.partitions ?? [])
        .filter(({ mountedAt }) => mountedAt !== null)
        .map(({ label }) => ({ label, server: address, path: `${placeOf({ label })}/shared` })),
    );
  const chosen = exports.find(({ label }) => label === VOLUMES) ?? exports[0];
  return chosen === undefined ? null : { server: chosen.server, path: chosen.path };
}
