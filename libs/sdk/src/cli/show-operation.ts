import type { Operation, OperationOutput } from '../api-types.ts';
import { EXIT } from './exit-code.ts';
import type { Session } from './session.ts';

export interface ShowOptions {
  /** Whether what a step has shown is printed. */
  shows: (output: OperationOutput) => boolean;
}

const NAME_WIDTH = 14;

/** Prints each step once it has ended. Ctrl-C ends the watching, not the operation. */
export async function showOperation(
  session: Session,
  begun: Operation,
  { shows }: ShowOptions,
): Promise<void> {
  const interrupted = new AbortController();
  const forget = session.terminal.onInterrupt(() => interrupted.abort());
  const told = new Set<string>();
  let last = begun;
  try {
    const { operations } = session.client().admin;
    for await (const change of operations.follow(begun.id, { signal: interrupted.signal })) {
      if (change.kind === 'progress') last = change.operation;
      if (session.json) continue;
      if (change.kind === 'progress') await tellSteps(session, last, told);
      else if (shows(change.output)) await tellOutput(session, change.output);
    }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    session.exitCode = EXIT.interrupted;
    await session.tell(`bramble: it goes on as operation ${begun.id}`);
    return;
  } finally {
    forget();
  }
  if (session.json) await session.terminal.out(`${JSON.stringify(last, null, 2)}\n`);
  const why = last.reason === null ? '' : ` – ${shownText(last.reason.message)}`;
  await session.tell(`bramble: ${last.subject}: ${last.state}${why}`);
  if (last.state !== 'done') session.exitCode = EXIT.failure;
}

async function tellSteps(session: Session, { steps }: Operation, told: Set<string>): Promise<void> {
  const width = Math.max(NAME_WIDTH, ...steps.map(({ name }) => name.length));
  for (const { name, state, detail, endedAt } of steps) {
    if (endedAt === null || told.has(name)) continue;
    told.add(name);
    await session.terminal.out(`${name.padEnd(width)} ${state.padEnd(10)} ${shownText(detail ?? '')}\n`);
  }
}

async function tellOutput(session: Session, { text }: OperationOutput): Promise<void> {
  const lines = text.replace(/\n$/, '').split('\n');
  await session.terminal.out(lines.map((line) => `  ${shownText(line)}\n`).join(''));
}

/** Text from a board or a container may hold anything: control characters would reach the terminal. */
const shownText = (text: string): string => text.replace(/[^\P{Cc}\t\n]/gu, '');
