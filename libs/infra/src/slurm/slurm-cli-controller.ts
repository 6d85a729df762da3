import { randomBytes } from 'node:crypto';
import { type Answer, type Present, present, type Unknown, unknown } from '#core/vocabulary/answer';
import type {
  SlurmController,
  SlurmJob,
  SlurmJobDetail,
  SlurmSettings,
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
import * as showJob from './scontrol-show-job.ts';
import { SlurmCommands, type SlurmCommandsOptions } from './slurm-commands.ts';
import { SlurmUnavailable } from './slurm-unavailable.ts';
import * as squeue from './squeue.ts';

export interface SlurmCliControllerOptions extends SlurmCommandsOptions {
  /**
   * How long sbatch may live. It gives up by itself after about MessageTimeout. Default 20,000, or twice MessageTimeout
   * where that is longer.
   */
  submitTimeoutMs?: number;
}

const SHORTEST_DEFAULT_SUBMIT_TIMEOUT_MS = 20_000;
/** How much longer the transport waits than `timeout` on the other side, so that `timeout` speaks first. */
const TRANSPORT_SLACK_MS = 3_000;
const CERTAINTY_MARGIN_MS = 3_000;

/** Slurm's controller by way of its commands, as every installation since 20.11 has them. */
export class SlurmCliController implements SlurmController {
  readonly #commands: SlurmCommands;
  readonly #accounts: AccountLookup;
  readonly #wantedSubmitTimeoutMs: number | undefined;
  #known: (SlurmSettings & { submitTimeoutMs: number }) | undefined;
  #asking: Promise<Present<SlurmSettings> | Unknown> | undefined;

  constructor(options: SlurmCliControllerOptions) {
    this.#commands = new SlurmCommands(options);
    this.#accounts = new AccountLookup(this.#commands);
    this.#wantedSubmitTimeoutMs = options.submitTimeoutMs;
  }

  async settings(): Promise<Present<SlurmSettings> | Unknown> {
    if (this.#known !== undefined) return present(this.#known);
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #ask(): Promise<Present<SlurmSettings> | Unknown> {
    try {
      const { clusterName, messageTimeoutMs, minJobAgeMs } = await readSlurmConfig(this.#commands);
      const submitTimeoutMs =
        this.#wantedSubmitTimeoutMs ?? Math.max(SHORTEST_DEFAULT_SUBMIT_TIMEOUT_MS, 2 * messageTimeoutMs);
      this.#known = {
        cluster: clusterName,
        submitTimeoutMs,
        submitCertaintyMs: this.#submitCertaintyMs(submitTimeoutMs, messageTimeoutMs),
        forgetsAfterMs: minJobAgeMs,
      };
      return present(this.#known);
    } catch (error) {
      if (!(error instanceof SlurmUnavailable)) throw error;
      return unknown(error.message);
    }
  }

  /**
   * The longest way: until the command starts, sbatch's life, and what slurmctld may then take over the message.
   *
   * A slurmctld that hangs, or whose machine sleeps, may take up a message later still, for as long as its munge
   * credential is good (300 s). It does so before it answers a `list` that was asked after this time, because it
   * accepts connections in their order.
   */
  #submitCertaintyMs(submitTimeoutMs: number, messageTimeoutMs: number): number {
    return (
      this.#commands.startsWithinMs +
      submitTimeoutMs +
      KILL_AFTER_SECONDS * 1000 +
      messageTimeoutMs +
      CERTAINTY_MARGIN_MS
    );
  }

  async submit({ script, account }: Submission): Promise<SubmitOutcome> {
    if (account.uid === 0) {
      return {
        kind: 'refused',
        code: 'AccountRefused',
        message: `The Unix account "${account.name}" is root; jobs never run as root.`,
      };
    }
    if (this.#known === undefined) {
      return {
        kind: 'later',
        code: 'ControllerUnreachable',
        message: 'Slurm has not answered yet, and the job will be handed over when it does.',
      };
    }
    const lifeSeconds = Math.ceil(this.#known.submitTimeoutMs / 1000);
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
