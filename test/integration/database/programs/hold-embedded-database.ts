import { startEmbeddedDatabase } from '../../../../libs/infra/src/database/embedded-database.ts';

/** Starts the embedded database of a directory, prints its URL, and stays until it is killed. */
const [dataDirectory] = process.argv.slice(2);
if (dataDirectory === undefined) throw new Error('usage: hold-embedded-database DIRECTORY');
const { url } = await startEmbeddedDatabase({ dataDirectory, log: () => {} });
process.stdout.write(`${url}\n`);
setInterval(() => {}, 60_000);
