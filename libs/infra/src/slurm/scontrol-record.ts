/**
 * The records of `scontrol show … --oneliner`, each of which begins with its key. A free text that an administrator
 * wrote over several lines stays with its record.
 * @throws SyntaxError where the output begins with anything else
 */
export function readRecords(stdout: string, key: string): string[] {
  // "No nodes in the system" and "No partitions in the system" are what scontrol says of none.
  if (stdout.trim() === '' || /^No \w+ in the system\s*$/.test(stdout)) return [];
  if (!stdout.startsWith(`${key}=`))
    throw new SyntaxError(`scontrol wrote no ${key}: ${JSON.stringify(stdout.slice(0, 200))}`);
  return stdout.split(new RegExp(`^(?=${key}=)`, 'm')).map((record) => record.trimEnd());
}

/**
 * The first value of a key: free text only comes behind the fields that are read.
 * @returns null where the key is missing or Slurm has no value for it
 */
export function readField(record: string, key: string): string | null {
  const value = new RegExp(`(?:^|\\s)${key}=(\\S*)`).exec(record)?.[1];
  return value === undefined || value === '' || value === '(null)' || value === 'N/A' ? null : value;
}

/** Features as a list: `rpi4,arm64`, with a count behind each on some systems: `rpi4(4)`. */
export function readFeatures(text: string | null): string[] {
  return text === null ? [] : text.split(',').map((feature) => feature.replace(/\(\d+\)$/, ''));
}
