// node healthcheck.js URL: exit code 0 where the URL answers with 2xx. What it says otherwise is written to stderr.
const TIMEOUT_MS = 4_000;

const url = process.argv[2];
if (url === undefined) {
  process.stderr.write('healthcheck.js: which URL?\n');
  process.exit(2);
}
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body}`);
  process.stdout.write(`${url} answered ${response.status}\n`);
} catch (error) {
  const { message, cause } = error;
  process.stderr.write(`${message}${cause instanceof Error ? ` (${cause.message})` : ''}\n`);
  process.exitCode = 1;
}
