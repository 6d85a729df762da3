import type { JobState } from '../api-types.ts';
import type { Terminal } from './terminal.ts';

const CODES = { red: 31, green: 32, yellow: 33, blue: 34 } as const;
type Colour = keyof typeof CODES;

/** Whether colours are wanted: on a terminal, unless NO_COLOR is set (no-color.org). */
export const wantsColour = ({ environment, outIsTerminal }: Terminal): boolean =>
  outIsTerminal && (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb';

const colourOf = (state: JobState): Colour => {
  switch (state) {
    case 'completed':
      return 'green';
    case 'running':
    case 'collecting':
      return 'blue';
    case 'accepted':
    case 'staging':
    case 'submitting':
    case 'queued':
      return 'yellow';
    case 'failed':
    case 'cancelled':
    case 'timed_out':
    case 'out_of_memory':
    case 'node_failed':
      return 'red';
  }
};

/** Colours the first mention of a state in a line of a table. */
export function colourState(line: string, state: JobState): string {
  return line.replace(state, `\x1b[${CODES[colourOf(state)]}m${state}\x1b[0m`);
}
