import { shellQuote } from '../jobs/shell-quote.ts';
import type { BoardConnection } from './board-connection.ts';
import { type Probe, StepProblem } from './board-step.ts';
import { succeed } from './succeed.ts';

const TIMEOUT_MS = 120_000;

/** What a probe wrote, or why it wrote nothing that can be gone by. */
export type Seen = { kind: 'seen'; text: string } | { kind: 'failed'; problem: StepProblem };

/**
 * Asks a board many things at once. A probe that fails leaves the others alone.
 * @throws StepProblem where the board cannot be asked at all
 */
export async function probeBoard(connection: BoardConnection, probes: readonly Probe[]): Promise<Seen[]> {
  if (probes.length === 0) return [];
  const mark = `probe ${crypto.randomUUID()}`;
  const { stdout } = await succeed(connection, {
    argv: ['sh'],
    input: probes.map((probe) => commandOf(probe, mark)).join(''),
    root: true,
    timeoutMs: TIMEOUT_MS,
  });
  const answers = stdout.split(`${mark} `).slice(0, -1);
  const codes = stdout
    .split(`${mark} `)
    .slice(1)
    .map((rest) => Number.parseInt(rest, 10));
  return probes.map((_, index) => {
    const text = (answers[index] ?? '').replace(index === 0 ? /^/ : /^\d+\n/, '').replace(/\n$/, '');
    const code = codes[index];
    if (code === 0) return { kind: 'seen', text };
    const because = code === undefined ? 'it was not run' : `exit code ${code}: ${text.trim().slice(-1000)}`;
    return { kind: 'failed', problem: new StepProblem(`The board cannot tell: ${because}`) };
  });
}

/** Each in a shell of its own, without the input in which the next ones come. */
function commandOf({ script, args = [] }: Probe, mark: string): string {
  const words = ['sh', '-c', script, 'sh', ...args].map(shellQuote).join(' ');
  return `${words} < /dev/null 2>&1; printf '\\n%s %d\\n' ${shellQuote(mark)} "$?"\n`;
}
