import { StepProblem } from './board-step.ts';
import { LongWorkFailed } from './run-long.ts';

interface Cause {
  pattern: RegExp;
  says: (match: RegExpExecArray) => string;
  passing?: true;
}

/** The first that fits is what the others follow from. */
const CAUSES: readonly Cause[] = [
  {
    pattern: /No space left on device|don't have enough free space in/,
    says: () =>
      'The board has no room left for packages. Free some (`apt-get clean`, `journalctl --vacuum-size=50M`, `du -xh / | sort -h`), then apply again.',
  },
  {
    pattern: /Read-only file system/,
    says: () =>
      'A file system of the board is read-only, which a worn card often is the reason of. See `dmesg`, mend or replace the card, then apply again.',
  },
  {
    pattern: /package lock was not free .*, held by (.+?)\s*$/m,
    says: ([, holder = '']) => `Somebody else is at work with the board's packages: ${holder}.`,
    passing: true,
  },
  {
    pattern: /Could not get lock \S+ It is held by process (\d+) \(([^)]+)\)/,
    says: ([, pid = '', program = '']) =>
      `Somebody else is at work with the board's packages: ${program} (process ${pid}).`,
    passing: true,
  },
  {
    pattern: /Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate/,
    says: ([, one, other = '']) =>
      `The board's package sources have no package "${one ?? other}". See /etc/apt/sources.list and /etc/apt/sources.list.d on the board.`,
  },
  {
    pattern: /is not valid yet/,
    says: () =>
      "The board's clock is behind: the package lists are from its future. Set the clock, then apply again.",
  },
  {
    pattern: /does not have a Release file|no longer has a Release file|Release file .* is expired/,
    says: () =>
      'A package source of the board serves its release no more. Bring /etc/apt/sources.list and /etc/apt/sources.list.d up to date, then apply again.',
  },
  {
    // The network between the board and its sources, or a proxy that cannot reach them (5xx).
    pattern:
      /lists did not come within|Temporary failure resolving|Could not (?:connect|resolve|handshake)|Unable to connect to|Connection (?:failed|timed out|reset)|Error reading from server|Failed to fetch \S+ +5\d\d /,
    says: () =>
      "The board cannot fetch packages. See its name servers, its way to the package sources, and the package proxy's.",
    passing: true,
  },
  {
    pattern: /Failed to fetch/,
    says: () =>
      'A package source of the board, or the package proxy, does not give what it lists. See what it answered, and whether the source is still served.',
  },
];

const TELLING = /^\s*(?:E:|Err:|dpkg: (?:error|unrecoverable)|dpkg-deb: error|.*No space left on device)/;
const LINES_SHOWN = 6;

/**
 * What apt's failure comes from, with apt's own words behind it. Others than apt's are left as they are. dpkg may go on
 * for a while after what has failed: where the end tells nothing, all of the output is looked at.
 */
export function aptProblem(problem: StepProblem): StepProblem {
  if (problem.passing) return problem;
  const whole = problem instanceof LongWorkFailed ? problem.output : '';
  return causeIn(problem.message) ?? causeIn(whole) ?? problem;
}

function causeIn(text: string): StepProblem | undefined {
  for (const { pattern, says, passing = false } of CAUSES) {
    const match = pattern.exec(text);
    if (match !== null) return new StepProblem(`${says(match)}${tellingLines(text)}`, { passing });
  }
  return undefined;
}

function tellingLines(text: string): string {
  const lines = text
    .replace(/^apt [^:\n]*: /, '')
    .split('\n')
    .filter((line) => TELLING.test(line))
    .map((line) => line.trim());
  const distinct = [...new Set(lines)].slice(0, LINES_SHOWN);
  return distinct.length === 0 ? '' : `\n${distinct.join('\n')}`;
}
