/** Samples of a Prometheus page: name with labels, as it is written there, to value. */
export type Samples = ReadonlyMap<string, number>;

/** Processor time of a process. */
export const CPU_SECONDS = 'process_cpu_seconds_total';

export async function scrape(url: string): Promise<Samples> {
  const response = await fetch(`${url}/metrics`);
  if (!response.ok) throw new Error(`${url}/metrics was answered with ${response.status}`);
  const samples = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    const [, sample, value] = /^([^#\s]\S*) (\S+)$/.exec(line) ?? [];
    if (sample !== undefined) samples.set(sample, Number(value));
  }
  return samples;
}

/** The sum of all samples of that name whose labels contain the text. */
export function total(samples: Samples, name: string, label = ''): number {
  let sum = 0;
  for (const [sample, value] of samples) {
    if ((sample === name || sample.startsWith(`${name}{`)) && sample.includes(label)) sum += value;
  }
  return sum;
}
