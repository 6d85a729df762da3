import type { Site } from '#core/nodes/site';

/** A cluster without anything that steps could wait for. */
export const SITE: Site = {
  domain: 'home.lab',
  subnet: '10.0.0.0/24',
  timeServers: [],
  aptProxy: null,
  accounts: [],
  mounts: [],
  slurm: null,
};
