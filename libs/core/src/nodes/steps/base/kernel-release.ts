/**
 * The newest kernel that is installed beside the running one, of the same flavour: Raspberry Pi OS has several for
 * different boards side by side, such as `rpi-v8` and `rpi-2712`.
 * @param running as `uname -r` tells it, such as `6.6.51+rpt-rpi-v8` or `6.1.0-28-arm64`
 * @param installed names of that kind
 * @returns undefined where the running one is the newest
 */
export function newerKernel(running: string, installed: readonly string[]): string | undefined {
  const { numbers, flavour } = parse(running);
  return installed
    .filter((release) => parse(release).flavour === flavour && compare(parse(release).numbers, numbers) > 0)
    .sort((a, b) => compare(parse(b).numbers, parse(a).numbers))[0];
}

/** `6.6.51+rpt-rpi-v8` is 6, 6, 51 of `rpi-v8`, `6.1.0-28-arm64` is 6, 1, 0, 28 of `arm64`, `6.1.21-v8+` of `v8+`. */
function parse(release: string): { numbers: number[]; flavour: string } {
  const [, version = '', flavour = ''] =
    /^(\d+(?:\.\d+)*(?:[-+]\d+(?:\.\d+)*)*)(?:\+rpt)?[-+]?(.*)$/.exec(release) ?? [];
  return { numbers: version.split(/[.+-]/).map(Number), flavour };
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
