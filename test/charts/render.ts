import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadAll } from 'js-yaml';
import { ensureBinaries } from '../lab/kube/binaries.ts';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

/** An object as a chart renders it. */
export interface RenderedObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

export interface RenderOptions {
  /** Beside those of the chart. */
  values?: object;
  /** Default: the name of the chart. */
  release?: string;
  /** Default `bramble`. */
  namespace?: string;
  /** What the cluster knows beside Kubernetes' own kinds, such as `monitoring.coreos.com/v1`. */
  apiVersions?: readonly string[];
}

/** Helm did not render a chart, or found something wrong with it. The message is what Helm says. */
export class ChartRefused extends Error {
  override readonly name = 'ChartRefused';
}

/** Bramble's own chart, or that of a service. */
export const chartDirectory = (chart: string): string =>
  fileURLToPath(
    new URL(`../../deploy/helm/${chart === 'bramble' ? chart : `services/${chart}`}`, import.meta.url),
  );

/**
 * What `helm template` makes of a chart, hooks and tests included. Needs no cluster: `lookup` finds nothing.
 * @throws ChartRefused where values do not fit the schema, or a template fails
 */
export async function renderChart(chart: string, options: RenderOptions = {}): Promise<RenderedObject[]> {
  const { release = chart, namespace = 'bramble', apiVersions = [], values = {} } = options;
  const output = await withValues(values, (file) =>
    helm([
      'template',
      release,
      chartDirectory(chart),
      `--namespace=${namespace}`,
      `--values=${file}`,
      ...apiVersions.map((version) => `--api-versions=${version}`),
    ]),
  );
  return loadAll(output).filter(
    (object): object is RenderedObject => object !== null && object !== undefined,
  );
}

/** @throws ChartRefused with all that `helm lint --strict` finds */
export async function lintChart(chart: string, values: object = {}): Promise<void> {
  await withValues(values, (file) => helm(['lint', '--strict', `--values=${file}`, chartDirectory(chart)]));
}

/** @throws Error where there is none, or where there are several */
export function only(objects: readonly RenderedObject[], kind: string, name?: string): RenderedObject {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new Error(`Expected one ${kind} ${name ?? ''}, and found ${found.length}`);
  return first;
}

/** JSON is YAML. */
async function withValues(values: object, use: (file: string) => Promise<string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'bramble-values-'));
  try {
    const file = join(directory, 'values.json');
    await writeFile(file, JSON.stringify(values));
    return await use(file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** `BRAMBLE_HELM`, or the lab's own, which is built where it is missing. */
async function helmBinary(): Promise<string> {
  const given = process.env.BRAMBLE_HELM;
  return given === undefined || given === '' ? (await ensureBinaries(console.log)).helm : given;
}

async function helm(commandArguments: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(await helmBinary(), commandArguments, {
      maxBuffer: MAX_OUTPUT_BYTES,
      env: { ...process.env, GOGC: 'off' },
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    if (stdout + stderr === '') throw error;
    throw new ChartRefused(`${stderr}${stdout}`, { cause: error });
  }
}
