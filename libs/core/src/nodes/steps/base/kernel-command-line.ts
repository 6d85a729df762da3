/** Without these the firmware of a Pi starts Linux without the memory controller. The second is for kernels before 5. */
const WANTED = ['cgroup_enable=memory', 'cgroup_memory=1'];
const CONTRADICTING = ['cgroup_disable=memory', 'cgroup_memory=0'];

/** Why the text is none that Bramble dares to change, or undefined. */
export function refuseCommandLine(text: string): string | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length !== 1) return `it has ${lines.length} lines, and the firmware reads one`;
  if (!/(^|\s)root=/.test(text)) return 'it does not say where the root file system is (root=)';
  return undefined;
}

/**
 * The kernel's command line with the memory controller on: one line, its other words as they are.
 * @param text content of cmdline.txt
 * @returns the same text where nothing is to be changed
 */
export function withMemoryController(text: string): string {
  const words = text.trim().split(/\s+/);
  const kept = words.filter((word) => !CONTRADICTING.includes(word));
  const missing = WANTED.filter((word) => !kept.includes(word));
  return kept.length === words.length && missing.length === 0 ? text : `${[...kept, ...missing].join(' ')}\n`;
}
