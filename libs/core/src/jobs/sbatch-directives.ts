import { formatSlurmDuration, parseDurationSeconds } from '../vocabulary/duration.ts';
import type { FieldFault } from '../vocabulary/problem.ts';

/** What the `#SBATCH` lines of a script say, under the names of the request's fields. Values are not yet checked. */
export interface SbatchDirectives {
  fields: Partial<Record<DirectiveField, string | number | boolean>>;
  faults: FieldFault[];
}

type DirectiveField =
  | 'name'
  | 'nodes'
  | 'tasks'
  | 'tasksPerNode'
  | 'cpusPerTask'
  | 'memory'
  | 'timeLimit'
  | 'partition'
  | 'constraint'
  | 'account'
  | 'qos'
  | 'exclusive';

type ValueKind = 'text' | 'count' | 'memory' | 'duration' | 'flag';

const OPTIONS: Record<string, { field: DirectiveField; kind: ValueKind }> = {
  '--job-name': { field: 'name', kind: 'text' },
  '--nodes': { field: 'nodes', kind: 'count' },
  '--ntasks': { field: 'tasks', kind: 'count' },
  '--ntasks-per-node': { field: 'tasksPerNode', kind: 'count' },
  '--cpus-per-task': { field: 'cpusPerTask', kind: 'count' },
  '--mem': { field: 'memory', kind: 'memory' },
  '--time': { field: 'timeLimit', kind: 'duration' },
  '--partition': { field: 'partition', kind: 'text' },
  '--constraint': { field: 'constraint', kind: 'text' },
  '--account': { field: 'account', kind: 'text' },
  '--qos': { field: 'qos', kind: 'text' },
  '--exclusive': { field: 'exclusive', kind: 'flag' },
};

const SHORT_OPTIONS: Record<string, string> = {
  '-J': '--job-name',
  '-N': '--nodes',
  '-n': '--ntasks',
  '-c': '--cpus-per-task',
  '-t': '--time',
  '-p': '--partition',
  '-C': '--constraint',
  '-A': '--account',
  '-q': '--qos',
};

/**
 * Reads the `#SBATCH` lines as sbatch does: only those before the first line that is neither blank nor a comment.
 * An option that Bramble cannot honour is a fault, never ignored: a user who wrote it counts on it.
 * @see https://slurm.schedmd.com/sbatch.html#SECTION_DESCRIPTION
 */
export function parseSbatchDirectives(script: string): SbatchDirectives {
  const fields: SbatchDirectives['fields'] = {};
  const faults: FieldFault[] = [];
  const lines = script.split('\n');
  for (const [index, line] of lines.entries()) {
    if (/^\s*[^\s#]/.test(line)) break;
    if (!/^#SBATCH(\s|$)/.test(line)) continue;
    const where = `line ${index + 1}`;
    for (const { option, value } of options(line.slice('#SBATCH'.length))) {
      const known = OPTIONS[option];
      if (known === undefined) {
        faults.push({
          field: 'script',
          message: `${where}: "${option}" is not supported in #SBATCH; use the fields of the request`,
        });
        continue;
      }
      const read = readValue(known.kind, value);
      if (read === undefined) {
        faults.push({
          field: 'script',
          message: `${where}: "${option}" has a value that is not understood: "${value ?? ''}"`,
        });
        continue;
      }
      fields[known.field] = read;
    }
  }
  return { fields, faults };
}

function* options(text: string): Generator<{ option: string; value: string | undefined }> {
  const words = splitWords(text);
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word.startsWith('#')) return;
    const long = /^(--[a-z-]+)(?:=(.*))?$/s.exec(word);
    if (long !== null) {
      const option = long[1] ?? '';
      const takesValue = OPTIONS[option]?.kind !== 'flag';
      yield { option, value: long[2] ?? (takesValue ? takeValue(words) : undefined) };
      continue;
    }
    const short = SHORT_OPTIONS[word.slice(0, 2)];
    if (short === undefined) {
      yield { option: word, value: /^-\w$/.test(word) ? takeValue(words) : undefined };
      continue;
    }
    yield { option: short, value: word.length > 2 ? word.slice(2).replace(/^=/, '') : words.shift() };
  }
}

const takeValue = (words: string[]): string | undefined =>
  words[0]?.startsWith('-') === true ? undefined : words.shift();

function splitWords(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  );
}

function readValue(kind: ValueKind, value: string | undefined): string | number | boolean | undefined {
  switch (kind) {
    case 'flag':
      return value === undefined ? true : undefined;
    case 'count':
      return value !== undefined && /^\d{1,7}$/.test(value) ? Number(value) : undefined;
    case 'memory':
      // sbatch reads a bare number as mebibytes.
      return value !== undefined && /^\d+$/.test(value)
        ? `${value}M`
        : value?.toUpperCase().replace(/B$/, '');
    case 'duration': {
      if (value === undefined) return undefined;
      // sbatch reads a bare number as minutes.
      const seconds = /^\d+$/.test(value)
        ? Number(value) * 60
        : /[a-z]/.test(value)
          ? undefined
          : parseDurationSeconds(value);
      return seconds === undefined ? undefined : formatSlurmDuration(seconds);
    }
    case 'text':
      return value;
  }
}
