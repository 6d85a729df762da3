import type { Command } from 'commander';
import type { FoundMachine } from '../api-types.ts';
import { EXIT } from './exit-code.ts';
import type { Session } from './session.ts';
import { type Column, table } from './table.ts';

const COLUMNS: readonly Column<FoundMachine>[] = [
  { title: 'ADDRESS', value: ({ address }) => address },
  { title: 'MAC', value: ({ mac }) => mac },
  { title: 'VENDOR', value: ({ vendor }) => vendor },
  { title: 'BOARD', value: ({ enrolledAs }) => enrolledAs },
  { title: 'HOST KEY', value: ({ hostKeySha256 }) => hostKeySha256 },
  { title: 'SSH', value: ({ sshBanner }) => sshBanner },
];

const NOTE = `
The host key is what the machine shows; compare it with the board's own before it is given to "enroll".`;

export function addDiscoverCommand(program: Command, session: Session): void {
  program
    .command('discover [range]')
    .summary('look who is in the network of the boards')
    .addHelpText('after', NOTE)
    .action(async (range?: string) => discover(session, range));
}

/** Ctrl-C ends the watching, not the discovery. */
async function discover(session: Session, range: string | undefined): Promise<void> {
  const { discoveries } = session.client().admin;
  const interrupted = new AbortController();
  const forget = session.terminal.onInterrupt(() => interrupted.abort());
  let last = await discoveries.start(range);
  try {
    for await (const discovery of discoveries.watch(last.id, { signal: interrupted.signal }))
      last = discovery;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    session.exitCode = EXIT.interrupted;
    await session.tell(`bramble: it goes on as discovery ${last.id}`);
    return;
  } finally {
    forget();
  }
  if (last.state === 'failed') session.exitCode = EXIT.failure;
  await session.print(last, () => (last.found.length === 0 ? '' : table(COLUMNS, last.found)));
  await session.tell(
    `bramble: ${last.range}: ${last.reason === null ? `${last.found.length} found` : last.reason.message}`,
  );
}
