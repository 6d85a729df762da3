import { aborted } from '../../../../libs/infra/src/database/dedicated-session.ts';
import { Leadership } from '../../../../libs/infra/src/database/leadership.ts';

/** Seeks the lead, prints a line when it has it, and keeps it until it is killed. */
const [url, name] = process.argv.slice(2);
if (url === undefined || name === undefined) throw new Error('usage: lead URL NAME');
const leadership = new Leadership({ url, name, log: () => {} });
await leadership.run((signal) => {
  process.stdout.write('leading\n');
  return aborted(signal);
}, new AbortController().signal);
