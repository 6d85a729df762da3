import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HelmFailure, HelmLimits, HelmOutcome } from '#core/services/helm-releases';
import type { ChartReference } from '#core/services/catalog/catalog-entry';
import { describeFailure } from './helm-failure.ts';
import { type HelmOptions, inherited, runHelm } from './run-helm.ts';

export interface ChartCacheOptions extends HelmOptions {
  /** Directory of the charts that come with Bramble. */
  ownCharts: string;
  /** Charts that were fetched, so that plans and rollbacks take no network. It is made where it is missing. */
  cacheDirectory: string;
}

type FetchedChart = Exclude<ChartReference, { kind: 'own' }>;

/** One version, never a range: Helm takes `1` and `^1.2` for the newest that fits. */
const EXACT_VERSION = /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** What downloads go through; the API server is reached directly, as by the rest of Bramble. */
const NETWORK = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'https_proxy', 'http_proxy', 'no_proxy'] as const;
const CERTIFICATES = ['SSL_CERT_FILE', 'SSL_CERT_DIR'] as const;

/**
 * Charts in files. A chart of a registry has the digest of its manifest, which `helm pull` shows; one of a repository that
 * of its archive, which `index.yaml` has.
 */
export class ChartCache {
  readonly #options: ChartCacheOptions;

  constructor(options: ChartCacheOptions) {
    this.#options = options;
  }

  /** @returns path of the archive or directory; fetched where it is not here yet */
  async locate(chart: ChartReference, limits: HelmLimits): Promise<HelmOutcome<string>> {
    if (chart.kind === 'own') return this.#own(chart.name);
    if (!EXACT_VERSION.test(chart.version)) {
      return refused(`The version of the chart has to be a single one such as 1.2.3, not "${chart.version}"`);
    }
    if (chart.digest !== null && !DIGEST.test(chart.digest)) {
      return refused(
        `The digest of the chart has to be "sha256:" and 64 hexadecimal digits, not "${chart.digest}"`,
      );
    }
    const file = join(this.#options.cacheDirectory, fileName(chart));
    if ((await exists(file)) && (await wrongDigest(chart, file)) === undefined)
      return { kind: 'done', value: file };
    return this.#fetch(chart, file, limits);
  }

  async #own(name: string): Promise<HelmOutcome<string>> {
    const directory = join(this.#options.ownCharts, name);
    if (await exists(join(directory, 'Chart.yaml'))) return { kind: 'done', value: directory };
    return refused(
      `The chart ${name}, which comes with Bramble, is missing: there is no Chart.yaml in ${directory}. ` +
        'Install Bramble again, with its directory deploy/helm/services.',
    );
  }

  async #fetch(chart: FetchedChart, file: string, limits: HelmLimits): Promise<HelmOutcome<string>> {
    const { cacheDirectory } = this.#options;
    const unfinished = join(cacheDirectory, `.${randomUUID()}`);
    try {
      await mkdir(unfinished, { recursive: true, mode: 0o700 });
    } catch (error) {
      return refused(`Charts cannot be kept in ${cacheDirectory}: ${(error as Error).message}`);
    }
    try {
      const argv = ['pull', `--destination=${unfinished}`, `--version=${chart.version}`, ...sourceOf(chart)];
      const environment = inherited(...NETWORK, ...CERTIFICATES);
      const end = await runHelm(this.#options, { argv, environment }, limits);
      if (end.kind === 'ended') return end;
      if (end.kind === 'not_started') return describeFailure(end);
      if (end.code !== 0) return refused(whyNot(chart, describeFailure(end).message));
      const [archive, ...more] = (await readdir(unfinished)).filter((name) => name.endsWith('.tgz'));
      if (archive === undefined || more.length > 0) return refused(`${nameOf(chart)} is not one archive`);
      const wrong = await wrongDigest(chart, join(unfinished, archive));
      if (wrong !== undefined) return refused(wrong);
      await keep(join(unfinished, archive), file);
      return { kind: 'done', value: file };
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
}

function sourceOf(chart: FetchedChart): string[] {
  if (chart.kind === 'repository') return [`--repo=${chart.url}`, '--', chart.name];
  return ['--', chart.digest === null ? chart.url : `${chart.url}@${chart.digest}`];
}

/** A registry is asked what the version is now, before the chart is fetched by its digest. `pkg/registry/client.go` */
function whyNot(chart: FetchedChart, said: string): string {
  const found = /chart reference digest mismatch: (sha256:\S+) is not/.exec(said)?.[1];
  return found === undefined ? `${nameOf(chart)} cannot be had: ${said}` : changed(chart, found);
}

const changed = (chart: FetchedChart, found: string): string =>
  `${nameOf(chart)} is not what it was: its digest is ${found}, and ${chart.digest} is expected. ` +
  'Somebody has published another chart under that version: nothing was installed.';

const nameOf = (chart: FetchedChart): string =>
  `The chart ${chart.kind === 'oci' ? chart.url : `${chart.name} of ${chart.url}`} ${chart.version}`;

/** @returns undefined where it is the right one; what a registry sends was checked by Helm against its digest */
async function wrongDigest(chart: FetchedChart, file: string): Promise<string | undefined> {
  if (chart.kind === 'oci' || chart.digest === null) return undefined;
  const found = `sha256:${createHash('sha256')
    .update(await readFile(file))
    .digest('hex')}`;
  return found === chart.digest ? undefined : changed(chart, found);
}

/** The same version from elsewhere, or with another digest, is another file. */
function fileName(chart: FetchedChart): string {
  const name = chart.kind === 'oci' ? (chart.url.split('/').at(-1) ?? '') : chart.name;
  const identity = createHash('sha256')
    .update(JSON.stringify([chart.kind, chart.url, name, chart.version, chart.digest]))
    .digest('hex')
    .slice(0, 16);
  return `${`${name}-${chart.version}`.replace(/[^0-9A-Za-z.+-]/g, '_')}-${identity}.tgz`;
}

/** Another process may keep the same one; after a power cut it is whole or missing. */
async function keep(from: string, to: string): Promise<void> {
  const handle = await open(from, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(from, to);
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

const refused = (message: string): HelmFailure => ({ kind: 'failed', code: 'chart', message });
