import { differs, right, type StepFinding, StepProblem } from '../../board-step.ts';
import { type ClockSkew, inWords, surelyExceeds } from '../../clock-skew.ts';

/** munge takes credentials of the last minutes, but files, logs and `make` suffer long before. */
export const SKEW_LIMIT_SECONDS = 1;

/** What keeps the time of a board. */
export interface TimeKeeping {
  /** Service that runs; null where none does. */
  keeper: string | null;
  /** Whether it runs after the next start, too. */
  enabled: boolean;
  /** Whether a time server has answered, and is followed. */
  synchronised: boolean;
  /** Whether chrony is to ask other servers than it does. */
  sourcesDiffer: boolean;
}

/** Debian's configuration of chrony reads each `*.sources` of a directory, beside its own pool. */
export const chronySources = (servers: readonly string[]): string =>
  ['# Written by Bramble.', ...servers.map((server) => `server ${server} iburst prefer`), ''].join('\n');

/**
 * Whether a board's time is kept, and is right. Another service than chrony is left alone where it works and no servers
 * are given.
 * @throws StepProblem where the board follows a time server, and the worker has another time
 */
export function timeFinding(
  { keeper, enabled, synchronised, sourcesDiffer }: TimeKeeping,
  skew: ClockSkew,
  servers: readonly string[],
): StepFinding {
  const clock = `the clock is ${inWords(skew)}`;
  const isOff = surelyExceeds(skew, SKEW_LIMIT_SECONDS);
  if (isOff && synchronised && keeper !== null)
    throw new StepProblem(
      `The board follows a time server (${keeper}), and ${clock}. One of both is wrong: see whether the worker's machine is synchronised (\`timedatectl\`), and which servers the board asks.`,
    );
  if (isOff) return differs(clock);
  if (keeper === null) return differs(`nothing keeps the time; ${clock}`);
  if (keeper !== 'chrony' && (servers.length > 0 || !synchronised))
    return differs(`${keeper} keeps the time${synchronised ? '' : ', and has no answer'}; ${clock}`);
  if (!enabled) return differs(`${keeper} does not run after the next start; ${clock}`);
  if (sourcesDiffer) return differs(`chrony asks other time servers; ${clock}`);
  return right(
    `${keeper}, ${synchronised ? 'synchronised' : 'which no time server has answered yet'}; ${clock}`,
  );
}
