import { load } from './client-load.ts';
import { submitBySbatch, type SbatchOptions } from './submit-by-sbatch.ts';

// A program of its own, as small as a user's would be: what a process pays for each one that it starts grows with its
// memory. Takes its orders as JSON in its first argument, and prints what its clients have seen.
const orders = JSON.parse(process.argv[2] ?? '') as { clients: number; jobs: number; options: SbatchOptions };
const { clients, jobs, options } = orders;
process.stdout.write(JSON.stringify(await load(clients, jobs, () => submitBySbatch(options))));
