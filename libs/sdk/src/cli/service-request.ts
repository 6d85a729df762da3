import { readFile } from 'node:fs/promises';
import { pair } from './submission.ts';
import { UsageError } from './usage-error.ts';

export interface WantedOptions {
  set?: string[];
  settings?: string;
  values?: string;
}

type Fields = Record<string, unknown>;

/** Settings of a file, and over them those of `--set`; undefined where none are given. */
export async function readSettings({ set, settings }: WantedOptions): Promise<Fields | undefined> {
  if (set === undefined && settings === undefined) return undefined;
  const ofFile = settings === undefined ? {} : await readFields('--settings', settings);
  return { ...ofFile, ...Object.fromEntries((set ?? []).map(readSetting)) };
}

/** Values of charts by release; undefined where none are given. */
export async function readValues({ values }: WantedOptions): Promise<Record<string, Fields> | undefined> {
  if (values === undefined) return undefined;
  const byRelease = await readFields('--values', values);
  for (const [release, fields] of Object.entries(byRelease)) {
    if (!isFields(fields))
      throw new UsageError(
        `--values ${values}: "${release}" must be a release with an object of its values.`,
      );
  }
  return byRelease as Record<string, Fields>;
}

/** As JSON where it is some, else as text: `replicas=2`, `web=true`, `address=10.0.0.10`, `metrics=null`. */
function readSetting(text: string): [string, unknown] {
  const [name, value] = pair('--set', text);
  try {
    return [name, JSON.parse(value)];
  } catch {
    return [name, value];
  }
}

async function readFields(option: string, file: string): Promise<Fields> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const fields = parsed(text);
  if (!isFields(fields))
    throw new UsageError(`${option} ${file}: must be an object in JSON; "yq -o json" makes it of YAML.`);
  return fields;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
