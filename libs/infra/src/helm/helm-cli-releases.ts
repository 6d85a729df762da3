import { withoutSecrets } from '#core/services/hide-secrets';
import { z } from 'zod';
import {
  type ApplyOptions,
  type HelmFailure,
  type HelmLimits,
  type HelmOutcome,
  type HelmReleases,
  type Recovery,
  type Release,
  type ReleaseName,
  RELEASE_STATES,
  type RenderOptions,
  REVISIONS_KEPT,
  type RollBackOptions,
} from '#core/services/helm-releases';
import { isHalfWay, planRecovery, type RecoveryPlan } from '#core/services/helm-recovery';
import { type Absent, absent, type Answer, type Present, present, unknown } from '#core/vocabulary/answer';
import { ChartCache, type ChartCacheOptions } from './chart-cache.ts';
import { describeFailure } from './helm-failure.ts';
import { type HelmCommand, runHelm } from './run-helm.ts';

/** How long Helm may take to read the releases of a namespace. */
const QUESTION_TIMEOUT_MS = 30_000;
/** How much longer the process may live than Helm itself is told to wait: a chart may have several hooks. */
const SLACK_MS = 30_000;

/**
 * Helm may end its wait as soon as all objects are gone that it has looked at, and then complain of the others, which are on
 * their way out. Its records are removed all the same. `pkg/kube/statuswait.go`
 */
const isGoing = (message: string): boolean => {
  const left = message.match(/still exists\. status: \w+/g) ?? [];
  return left.length > 0 && left.every((one) => one.endsWith(' Terminating'));
};

const NOT_FOUND = /release: not found\s*$/;
/** @see https://helm.sh/docs/chart_template_guide/builtin_objects/ */
const RELEASE_NAME = /^(?=.{1,53}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const NAMESPACE = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const revisionSchema = z.object({
  revision: z.int(),
  status: z.enum(RELEASE_STATES).catch('unknown'),
  chart: z.string(),
  app_version: z.string().optional(),
  description: z.string().default(''),
  updated: z.iso.datetime({ offset: true }),
});
/** What an upgrade writes: values with their secrets are in it as well, and are left there. */
const upgradedSchema = z.object({
  version: z.int(),
  info: z.object({
    status: z.enum(RELEASE_STATES).catch('unknown'),
    description: z.string().default(''),
    last_deployed: z.iso.datetime({ offset: true }),
  }),
  chart: z.object({
    metadata: z.object({ name: z.string(), version: z.string(), appVersion: z.string().optional() }),
  }),
  manifest: z.string(),
});
type Upgraded = z.output<typeof upgradedSchema>;

/**
 * Helm 4 by way of its command. Values reach it through its standard input. All is applied by the API server
 * (server-side apply), also what Helm 3 has installed.
 */
export class HelmCliReleases implements HelmReleases {
  readonly #options: ChartCacheOptions;
  readonly #charts: ChartCache;

  constructor(options: ChartCacheOptions) {
    this.#options = options;
    this.#charts = new ChartCache(options);
  }

  async find(release: ReleaseName): Promise<Answer<Release>> {
    const history = await this.history(release);
    if (history.kind !== 'present') return history;
    const newest = history.value.at(-1);
    return newest === undefined ? absent : present(newest);
  }

  async history(release: ReleaseName): Promise<Answer<Release[]>> {
    return answerOf(await this.#history(release));
  }

  async manifest(release: ReleaseName, revision?: number): Promise<Answer<string>> {
    const which = revision === undefined ? [] : [`--revision=${revision}`];
    return answerOf(await this.#ask(release, ['get', 'manifest', ...which]));
  }

  async render(release: ReleaseName, options: RenderOptions): Promise<HelmOutcome<string>> {
    const hidden = options.withSecrets === true ? [] : ['--hide-secret'];
    const outcome = await this.#upgrade(release, options, ['--dry-run=server', ...hidden]);
    return outcome.kind === 'done' ? { kind: 'done', value: outcome.value.manifest } : outcome;
  }

  async apply(release: ReleaseName, options: ApplyOptions): Promise<HelmOutcome<Release>> {
    const { description, secrets = [] } = options;
    const why = description === undefined ? [] : [`--description=${withoutSecrets(description, secrets)}`];
    const outcome = await this.#upgrade(release, options, why);
    return outcome.kind === 'done' ? { kind: 'done', value: upgradedRelease(outcome.value) } : outcome;
  }

  async rollBack(
    release: ReleaseName,
    revision: number,
    options: RollBackOptions,
  ): Promise<HelmOutcome<Release>> {
    return this.#rollBack(release, revision, options, []);
  }

  async uninstall(release: ReleaseName, limits: HelmLimits): Promise<HelmOutcome<true>> {
    return this.#uninstall(release, limits, []);
  }

  async recover(release: ReleaseName, options: RollBackOptions): Promise<HelmOutcome<Recovery>> {
    const history = await this.#history(release);
    if (history.kind === 'failed') return history;
    const plan = planRecovery(history.kind === 'present' ? history.value : []);
    const outcome = await this.#carryOut(plan, release, options, []);
    if (outcome.kind !== 'failed' || outcome.code === 'unreachable' || outcome.code === 'forbidden')
      return outcome;
    // A hook that fails leaves the release as half-way as it was.
    const left = await this.find(release);
    if (left.kind !== 'present' || !isHalfWay(left.value)) return outcome;
    return this.#carryOut(plan, release, options, ['--no-hooks']);
  }

  async #carryOut(
    plan: RecoveryPlan,
    release: ReleaseName,
    options: RollBackOptions,
    hooks: readonly string[],
  ): Promise<HelmOutcome<Recovery>> {
    const withoutHooks = hooks.length > 0;
    switch (plan.kind) {
      case 'nothing':
        return { kind: 'done', value: { kind: 'nothing' } };
      case 'uninstall': {
        const outcome = await this.#uninstall(release, options, hooks);
        return outcome.kind === 'done'
          ? { kind: 'done', value: { kind: 'uninstalled', withoutHooks } }
          : outcome;
      }
      case 'roll_back': {
        const { to } = plan;
        const outcome = await this.#rollBack(release, to, options, hooks);
        if (outcome.kind !== 'done') return outcome;
        return { kind: 'done', value: { kind: 'rolled_back', to, release: outcome.value, withoutHooks } };
      }
    }
  }

  async #rollBack(
    release: ReleaseName,
    revision: number,
    { forceConflicts, ...limits }: RollBackOptions,
    flags: readonly string[],
  ): Promise<HelmOutcome<Release>> {
    const argv = ['rollback', ...flags, ...applied(forceConflicts), timeoutOf(limits)];
    const outcome = await this.#run(release, { argv }, [String(revision)], limits);
    return outcome.kind === 'done' ? this.#newest(release) : outcome;
  }

  /**
   * Not with `--ignore-not-found`: Helm 4.2 then takes whatever keeps it from reading the release, such as a missing
   * right, for success. `pkg/action/uninstall.go`
   */
  async #uninstall(
    release: ReleaseName,
    limits: HelmLimits,
    flags: readonly string[],
  ): Promise<HelmOutcome<true>> {
    const argv = ['uninstall', '--cascade=foreground', '--wait', '--debug', ...flags, timeoutOf(limits)];
    const outcome = await this.#run(release, { argv }, [], limits);
    const { message } = outcome.kind === 'failed' ? outcome : { message: '' };
    const gone = outcome.kind === 'done' || NOT_FOUND.test(message) || isGoing(message);
    return gone ? { kind: 'done', value: true } : outcome;
  }

  async #newest(release: ReleaseName): Promise<HelmOutcome<Release>> {
    const found = await this.find(release);
    if (found.kind === 'present') return { kind: 'done', value: found.value };
    const because = found.kind === 'absent' ? 'the release is not there any more' : found.because;
    return { kind: 'failed', code: 'other', message: `Helm has done it, and cannot tell what: ${because}` };
  }

  async #upgrade(
    release: ReleaseName,
    { chart, values, secrets = [], forceConflicts, ...limits }: ApplyOptions,
    flags: readonly string[],
  ): Promise<HelmOutcome<Upgraded>> {
    const located = await this.#charts.locate(chart, limits);
    if (located.kind !== 'done') return located;
    const argv = ['upgrade', '--install', '--reset-values', '--values=-', '--output=json'];
    argv.push(timeoutOf(limits), ...applied(forceConflicts), ...flags);
    // JSON is YAML.
    const command = { argv, input: JSON.stringify(values) };
    const outcome = await this.#run(release, command, [located.value], limits, secrets);
    if (outcome.kind !== 'done') return outcome;
    const upgraded = read(outcome.value, upgradedSchema);
    return upgraded === undefined ? notUnderstood : { kind: 'done', value: upgraded };
  }

  async #run(
    release: ReleaseName,
    command: HelmCommand,
    operands: readonly string[],
    { timeoutMs, signal }: HelmLimits,
    secrets: readonly string[] = [],
  ): Promise<HelmOutcome<string>> {
    const wrong = wrongName(release);
    if (wrong !== undefined) return { kind: 'failed', code: 'other', message: wrong };
    const argv = [...command.argv, `--namespace=${release.namespace}`, '--', release.name, ...operands];
    const limits = { timeoutMs: timeoutMs + SLACK_MS, ...(signal === undefined ? {} : { signal }) };
    const end = await runHelm(this.#options, { ...command, argv }, limits);
    if (end.kind === 'ended') return end;
    if (end.kind === 'exited' && end.code === 0) return { kind: 'done', value: end.stdout };
    return describeFailure(end, secrets);
  }

  async #history(release: ReleaseName): Promise<Told<Release[]>> {
    const told = await this.#ask(release, ['history', '--output=json']);
    if (told.kind !== 'present') return told;
    const rows = read(told.value, z.array(revisionSchema));
    return rows === undefined ? notUnderstood : present(rows.map(toRelease));
  }

  async #ask(release: ReleaseName, argv: readonly string[]): Promise<Told<string>> {
    const wrong = wrongName(release);
    if (wrong !== undefined) return { kind: 'failed', code: 'other', message: wrong };
    const words = [...argv, `--namespace=${release.namespace}`, '--', release.name];
    const end = await runHelm(this.#options, { argv: words }, { timeoutMs: QUESTION_TIMEOUT_MS });
    if (end.kind === 'exited' && end.code === 0) return present(end.stdout);
    if (end.kind === 'exited' && NOT_FOUND.test(end.stderr)) return absent;
    return describeFailure(end);
  }
}

/** An answer whose reason for being unknown is sorted already. */
type Told<T> = Present<T> | Absent | HelmFailure;

const answerOf = <T>(told: Told<T>): Answer<T> => (told.kind === 'failed' ? unknown(told.message) : told);

/** @returns undefined where it is not what was asked for; the reason might have values in it */
function read<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const notUnderstood: HelmFailure = {
  kind: 'failed',
  code: 'program',
  message: "Helm's answer was not understood. Give the path of a Helm 4 in BRAMBLE_HELM.",
};

/**
 * How objects get to the cluster. Left to itself Helm goes on as the revision before, and those of Helm 3 were not applied
 * by the API server.
 */
const applied = (forceConflicts = false): string[] => [
  '--server-side=true',
  `--history-max=${REVISIONS_KEPT}`,
  ...(forceConflicts ? ['--force-conflicts'] : []),
];

const timeoutOf = ({ timeoutMs }: HelmLimits): string =>
  `--timeout=${Math.max(1, Math.ceil(timeoutMs / 1000))}s`;

function wrongName({ name, namespace }: ReleaseName): string | undefined {
  if (!RELEASE_NAME.test(name)) {
    return `The name of the release has to be up to 53 lower-case letters, digits and hyphens, not "${name}"`;
  }
  if (NAMESPACE.test(namespace)) return undefined;
  return `The namespace has to be up to 63 lower-case letters, digits and hyphens, not "${namespace}"`;
}

const toRelease = (row: z.output<typeof revisionSchema>): Release => ({
  revision: row.revision,
  state: row.status,
  chart: row.chart,
  appVersion: textOf(row.app_version),
  description: row.description,
  updatedAt: new Date(row.updated),
});

const upgradedRelease = ({ version, info, chart: { metadata } }: Upgraded): Release => ({
  revision: version,
  state: info.status,
  chart: `${metadata.name}-${metadata.version}`,
  appVersion: textOf(metadata.appVersion),
  description: info.description,
  updatedAt: new Date(info.last_deployed),
});

/** Helm writes '' where the chart has none. */
const textOf = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text);
