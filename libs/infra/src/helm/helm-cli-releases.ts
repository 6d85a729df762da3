import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { absent, type Answer, present, unknown } from '#core/vocabulary/answer';
import {
  type ApplyOptions,
  type ChartReference,
  type HelmOutcome,
  type HelmReleases,
  type Release,
  type ReleaseName,
  RELEASE_STATES,
} from '#core/services/helm-releases';
import { type HelmEnd, type HelmOptions, runHelm } from './run-helm.ts';

export interface HelmCliReleasesOptions extends HelmOptions {
  /** Directory of the charts that come with Bramble. */
  ownCharts: string;
}

const QUESTION_TIMEOUT_MS = 30_000;
/** How much longer the process may live than Helm itself is told to wait. */
const SLACK_MS = 30_000;
/** Helm keeps so many revisions of a release, each a secret of up to 1 MiB. */
const REVISIONS_KEPT = 10;

const NOT_FOUND = /release: not found|not found$/m;

const revisionSchema = z.object({
  revision: z.int(),
  status: z.enum(RELEASE_STATES).catch('unknown'),
  chart: z.string(),
  app_version: z.string().optional(),
  description: z.string().default(''),
  updated: z.string(),
});

/** Helm by way of its command. Values reach it in files that only this account can read. */
export class HelmCliReleases implements HelmReleases {
  readonly #options: HelmCliReleasesOptions;

  constructor(options: HelmCliReleasesOptions) {
    this.#options = options;
  }

  async find(release: ReleaseName): Promise<Answer<Release>> {
    const history = await this.history(release);
    if (history.kind !== 'present') return history;
    const newest = history.value.at(-1);
    return newest === undefined ? absent : present(newest);
  }

  async history(release: ReleaseName): Promise<Answer<Release[]>> {
    const argv = ['history', release.name, '--max', String(REVISIONS_KEPT), '--output', 'json'];
    const answer = await this.#ask(release, argv);
    if (answer.kind !== 'present') return answer;
    try {
      return present(z.array(revisionSchema).parse(JSON.parse(answer.value)).map(toRelease));
    } catch (error) {
      return unknown(`Helm's answer was not understood: ${String(error)}`);
    }
  }

  manifest(release: ReleaseName, revision?: number): Promise<Answer<string>> {
    const which = revision === undefined ? [] : ['--revision', String(revision)];
    return this.#ask(release, ['get', 'manifest', release.name, ...which]);
  }

  render(release: ReleaseName, options: ApplyOptions): Promise<HelmOutcome<string>> {
    return this.#upgrade(
      release,
      options,
      ['--dry-run=server', '--hide-secret', '--output', 'json'],
      (stdout) => {
        const { manifest } = z.object({ manifest: z.string() }).parse(JSON.parse(stdout));
        return manifest;
      },
    );
  }

  async apply(release: ReleaseName, options: ApplyOptions): Promise<HelmOutcome<Release>> {
    const description = options.description === undefined ? [] : ['--description', options.description];
    const flags = ['--create-namespace', '--history-max', String(REVISIONS_KEPT), ...description];
    const outcome = await this.#upgrade(release, options, flags, () => true);
    return outcome.kind === 'done' ? this.#newest(release) : outcome;
  }

  async rollBack(
    release: ReleaseName,
    revision: number,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<HelmOutcome<Release>> {
    const which = revision === 0 ? [] : [String(revision)];
    const argv = ['rollback', release.name, ...which, '--history-max', String(REVISIONS_KEPT)];
    const outcome = await this.#run(release, argv, options);
    return outcome.kind === 'done' ? this.#newest(release) : outcome;
  }

  async uninstall(
    release: ReleaseName,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<HelmOutcome<true>> {
    const argv = ['uninstall', release.name, '--ignore-not-found', '--cascade', 'foreground', '--wait'];
    const outcome = await this.#run(release, argv, options);
    return outcome.kind === 'done' ? { kind: 'done', value: true } : outcome;
  }

  async #newest(release: ReleaseName): Promise<HelmOutcome<Release>> {
    const found = await this.find(release);
    if (found.kind === 'present') return { kind: 'done', value: found.value };
    const because = found.kind === 'absent' ? 'the release is not there' : found.because;
    return { kind: 'failed', message: `Helm has done it, and cannot tell what: ${because}` };
  }

  async #upgrade<T>(
    release: ReleaseName,
    { chart, values, forceConflicts = false, ...limits }: ApplyOptions,
    flags: readonly string[],
    read: (stdout: string) => T,
  ): Promise<HelmOutcome<T>> {
    const directory = await mkdtemp(join(tmpdir(), 'bramble-values-'));
    try {
      // JSON is YAML.
      const file = join(directory, 'values.yaml');
      await writeFile(file, JSON.stringify(values), { mode: 0o600 });
      const argv = [
        'upgrade',
        release.name,
        ...this.#chart(chart),
        '--install',
        '--reset-values',
        '--values',
        file,
      ];
      const conflicts = forceConflicts ? ['--force-conflicts'] : [];
      const outcome = await this.#run(release, [...argv, ...conflicts, ...flags], limits);
      return outcome.kind === 'done' ? { kind: 'done', value: read(outcome.value) } : outcome;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  #chart(chart: ChartReference): string[] {
    switch (chart.kind) {
      case 'repository':
        return [chart.name, '--repo', chart.url, '--version', chart.version];
      case 'oci':
        return [chart.url, '--version', chart.version];
      case 'own':
        return [join(this.#options.ownCharts, chart.name)];
    }
  }

  async #run(
    { namespace }: ReleaseName,
    argv: readonly string[],
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<HelmOutcome<string>> {
    const timeout = ['--timeout', `${Math.ceil(timeoutMs / 1000)}s`];
    const end = await runHelm(this.#options, [...argv, ...timeout, '--namespace', namespace], {
      timeoutMs: timeoutMs + SLACK_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    if (end.kind === 'exited' && end.code === 0) return { kind: 'done', value: end.stdout };
    return end.kind === 'ended' ? end : { kind: 'failed', message: describe(end) };
  }

  async #ask({ namespace }: ReleaseName, argv: readonly string[]): Promise<Answer<string>> {
    const end = await runHelm(this.#options, [...argv, '--namespace', namespace], {
      timeoutMs: QUESTION_TIMEOUT_MS,
    });
    if (end.kind === 'exited' && end.code === 0) return present(end.stdout);
    if (end.kind === 'exited' && NOT_FOUND.test(end.stderr)) return absent;
    return unknown(describe(end));
  }
}

function toRelease(row: z.output<typeof revisionSchema>): Release {
  return {
    revision: row.revision,
    state: row.status,
    chart: row.chart,
    appVersion: row.app_version ?? null,
    description: row.description,
    updatedAt: new Date(row.updated),
  };
}

/** Helm's own words, without the lines that its libraries log. */
function describe(end: HelmEnd): string {
  if (end.kind !== 'exited') return end.because;
  const lines = end.stderr
    .trim()
    .split('\n')
    .filter((line) => !/^(level=|time=|[IWE]\d{4} |WARNING: )/.test(line));
  const text = lines.join('\n').replace(/^Error: /, '');
  return text === '' ? `Helm failed with exit code ${end.code}` : text;
}
