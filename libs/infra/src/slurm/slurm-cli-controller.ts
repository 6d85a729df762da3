import { randomBytes } from 'node:crypto';
import { type Answer, present, unknown } from '#core/vocabulary/answer';
import type {
  SlurmController,
  SlurmJob,
  SlurmJobDetail,
  Submission,
  SubmitOutcome,
  UnixAccount,
} from '#core/jobs/slurm-controller';
import { AccountLookup } from './account-lookup.ts';
import { describeFailure } from './command-failure.ts';
import { KILL_AFTER_SECONDS } from './command-transport.ts';
import { readSlurmConfig } from './read-slurm-config.ts';
import * as sbatch from './sbatch.ts';
import * as scancel from './scancel.ts';
import type { SlurmConfig } from './scontrol-show-config.ts';
import * as showJob from './scontrol-show-job.ts';
import { SlurmCommands, type SlurmCommandsOptions } from './slurm-commands.ts';
import * as squeue from './squeue.ts';

export interface SlurmCliControllerOptions extends SlurmCommandsOptions {
  /** ClusterName. */
  cluster: string;
  /** How long sbatch may live. It gives up by itself after about MessageTimeout. Default 20,000. */
  submitTimeoutMs?: number;
  /** MessageTimeout: how long slurmctld may take over a message. Default 10,000, as Slurm's own. */
  messageTimeoutMs?: number;
}

const DEFAULT_SUBMIT_TIMEOUT_MS = 20_000;
const DEFAULT_MESSAGE_TIMEOUT_MS = 10_000;
/** How much longer the transport waits than `timeout` on the other side, so that `timeout` speaks first. */
const TRANSPORT_SLACK_MS = 3_000;
const CERTAINTY_MARGIN_MS = 3_000;

/** Slurm's controller by way of its commands, as every installation since 20.11 has them. */
export class SlurmCliController implements SlurmController {
  readonly cluster: string;
  /**
   * The longest way: until the command starts, sbatch's life, and what slurmctld may then take over the message.
   *
   * A slurmctld that hangs, or whose machine sleeps, may take up a message later still, for as long as its munge
   * credential is good (300 s). It does so before it answers a `list` that was asked after this time, because it
   * accepts connections in their order.
   */
  readonly submitCertaintyMs: number;
  readonly #commands: SlurmCommands;
  readonly #accounts: AccountLookup;
  readonly #submitTimeoutMs: number;

  constructor(options: SlurmCliControllerOptions) {
    this.cluster = options.cluster;
    this.#commands = new SlurmCommands(options);
    this.#accounts = new AccountLookup(this.#commands);
    this.#submitTimeoutMs = options.submitTimeoutMs ?? DEFAULT_SUBMIT_TIMEOUT_MS;
    this.submitCertaintyMs =
      this.#commands.startsWithinMs +
      this.#submitTimeoutMs +
      KILL_AFTER_SECONDS * 1000 +
      (options.messageTimeoutMs ?? DEFAULT_MESSAGE_TIMEOUT_MS) +
      CERTAINTY_MARGIN_MS;
  }

  /**
   * Asks Slurm for its name and its times.
   * @param options.submitTimeoutMs default 20,000, or twice MessageTimeout where that is longer
   * @throws SlurmUnavailable where Slurm cannot be asked
   */
  static async connect(
    options: SlurmCommandsOptions & { submitTimeoutMs?: number },
  ): Promise<{ controller: SlurmCliController; config: SlurmConfig }> {
    const config = await readSlurmConfig(new SlurmCommands(options));
    const controller = new SlurmCliController({
      submitTimeoutMs: Math.max(DEFAULT_SUBMIT_TIMEOUT_MS, 2 * config.messageTimeoutMs),
      ...options,
      cluster: config.clusterName,
      messageTimeoutMs: config.messageTimeoutMs,
    });
    return { controller, config };
  }

  async submit({ script, account }: Submission): Promise<SubmitOutcome> {
    if (account.uid === 0) {
      return {
        kind: 'refused',
        code: 'AccountRefused',
        message: `The Unix account "${account.name}" is root; jobs never run as root.`,
      };
    }
    const lifeSeconds = Math.ceil(this.#submitTimeoutMs / 1000);
    const result = await this.#commands.run(
      'sbatch',
      sbatch.command(this.#commands.program('sbatch'), lifeSeconds),
      {
        input: script,
        account,
        timeoutMs: (lifeSeconds + KILL_AFTER_SECONDS) * 1000 + TRANSPORT_SLACK_MS,
      },
    );
    return sbatch.parse(result);
  }

  async list(): Promise<Answer<SlurmJob[]>> {
    const mark = randomBytes(9).toString('base64url');
    const result = await this.#commands.ask(squeue.command(mark));
    if (result.kind !== 'exited' || result.code !== 0) return unknown(describeFailure('squeue', result));
    try {
      return present(squeue.parse(result.stdout, mark));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return unknown(error.message);
    }
  }

  async show(slurmJobId: number): Promise<Answer<SlurmJobDetail>> {
    return showJob.parse(await this.#commands.ask(showJob.command(slurmJobId)), slurmJobId);
  }

  async cancel(slurmJobId: number, account: UnixAccount): Promise<Answer<true>> {
    return scancel.parse(await this.#commands.ask(scancel.command(slurmJobId), { account }));
  }

  account(name: string): Promise<Answer<UnixAccount>> {
    return this.#accounts.find(name);
  }
}
