/** What Bramble needs to know of Slurm's configuration. */
export interface SlurmConfig {
  clusterName: string;
  slurmVersion: string;
  /** How long Slurm's commands wait for an answer. */
  messageTimeoutMs: number;
  /** How long slurmctld remembers a job that has ended. */
  minJobAgeMs: number;
}

export function command(): [string, ...string[]] {
  return ['scontrol', 'show', 'config'];
}

/** @throws SyntaxError where a setting is missing or not understood */
export function parse(stdout: string): SlurmConfig {
  const setting = (key: string): string => {
    const value = new RegExp(`^${key}\\s*= (.+)$`, 'm').exec(stdout)?.[1]?.trim();
    if (value === undefined || value === '' || value === '(null)') {
      throw new SyntaxError(`scontrol show config says nothing of ${key}`);
    }
    return value;
  };
  const seconds = (key: string): number => {
    const [, amount] = /^(\d{1,9}) sec/.exec(setting(key)) ?? [];
    if (amount === undefined)
      throw new SyntaxError(`scontrol show config has ${key} = ${setting(key)}, which is no time`);
    return Number(amount);
  };
  return {
    clusterName: setting('ClusterName'),
    slurmVersion: setting('SLURM_VERSION'),
    messageTimeoutMs: seconds('MessageTimeout') * 1000,
    minJobAgeMs: seconds('MinJobAge') * 1000,
  };
}
