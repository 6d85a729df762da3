import type { SiteSlurm } from '../../site.ts';
import type { NodeDefinition } from './node-definition.ts';

/** Debian's unit reads the options from here. */
export const DEFAULTS_PATH = '/etc/default/slurmd';
export const DROP_IN_PATH = '/etc/systemd/system/slurmd.service.d/bramble.conf';

/**
 * Arguments of slurmd: its configuration comes from slurmctld.
 * @param definition null for a node that slurm.conf names; else it joins by itself
 */
export function slurmdOptions(
  { host, port }: Pick<SiteSlurm, 'host' | 'port'>,
  definition: NodeDefinition | null,
): string[] {
  const server = ['--conf-server', `${host}:${port}`];
  return definition === null ? server : [...server, '-Z', '--conf', settings(definition)];
}

const settings = ({ memoryMebibytes, features }: NodeDefinition): string =>
  `RealMemory=${memoryMebibytes} Feature=${features.join(',')}`;

/** systemd splits the value at white space, and respects the quotes within it. */
export function defaultsFile(options: readonly string[]): string {
  const words = options.map((option) => (option.includes(' ') ? `'${option}'` : option));
  return `# Kept by Bramble; changes are overwritten.\nSLURMD_OPTIONS="${words.join(' ')}"\n`;
}

/**
 * Debian 12 does not start slurmd where there is no slurm.conf. A slurmd without its configuration ends: at boot it may
 * be up before the controller, so that it is started until it stays.
 */
export const DROP_IN = `# Kept by Bramble; changes are overwritten.
[Unit]
ConditionPathExists=
After=network-online.target remote-fs.target time-sync.target munge.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Restart=on-failure
RestartSec=5
`;

/** What an admin adds to slurm.conf where nodes cannot join by themselves. */
export const slurmConfLine = (
  { name, address }: { name: string; address: string },
  cpus: number,
  definition: NodeDefinition,
): string => `NodeName=${name} NodeAddr=${address} CPUs=${cpus} ${settings(definition)} State=UNKNOWN`;
