import type { SecretBox } from '../nodes/secret-box.ts';
import { resealWanted } from './service.ts';
import type { ServiceStore } from './service-store.ts';

/**
 * Seals with the newest key what the revisions of all services keep, so that older keys can be taken away.
 * @returns how many revisions were sealed with an older key
 */
export async function resealServices(services: ServiceStore, secrets: SecretBox): Promise<number> {
  let count = 0;
  for (const { name } of await services.list()) {
    for (const { revision, sealedWanted } of await services.revisions(name)) {
      if (!secrets.isStale(sealedWanted)) continue;
      await services.reseal(name, revision, resealWanted(name, sealedWanted, secrets));
      count += 1;
    }
  }
  return count;
}
