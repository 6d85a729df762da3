import type { KubernetesAccess } from '#infra/kubernetes/kubernetes-access';
import type { RemoteEnd } from '#infra/ssh/remote-command';
import type { CommandOptions, CommandResult, CommandTransport } from './command-transport.ts';
import { execInContainer } from './exec-in-container.ts';
import { findLoginPod, type LoginPodOptions } from './find-login-pod.ts';
import { runInShell, type ShellCommand } from './run-in-shell.ts';

export interface ExecTransportOptions extends LoginPodOptions {
  access: KubernetesAccess;
  /** How long the API server may take to say which pods there are. */
  timeoutMs: number;
  /** How long a command may wait until it is sent. Default 10,000. */
  waitAtMostMs?: number;
  /** How long a command's input may take to arrive. Default 10,000. */
  inputWithinMs?: number;
}

/**
 * Runs commands in a container of a pod, as `kubectl exec` does. A container that runs as root becomes the account of a
 * job by setpriv; another one runs the commands of its own user only.
 */
export class ExecTransport implements CommandTransport {
  readonly startsWithinMs: number;
  readonly #options: ExecTransportOptions;
  readonly #waitAtMostMs: number;
  readonly #inputWithinSeconds: number;
  #pod: string | undefined;

  constructor(options: ExecTransportOptions) {
    this.#options = options;
    this.#waitAtMostMs = options.waitAtMostMs ?? 10_000;
    this.#inputWithinSeconds = Math.ceil((options.inputWithinMs ?? 10_000) / 1000);
    this.startsWithinMs = this.#waitAtMostMs + this.#inputWithinSeconds * 1000;
  }

  async run(argv: readonly [string, ...string[]], options: CommandOptions): Promise<CommandResult> {
    return runInShell(argv, options, {
      become: options.account === undefined ? null : { account: options.account, by: 'container' },
      send: (command) => this.#send(command),
      waitAtMostMs: this.#waitAtMostMs,
      inputWithinSeconds: this.#inputWithinSeconds,
    });
  }

  /** A pod that was there may have been replaced by another one, or may say by now why its container does not run. */
  async #send(command: ShellCommand): Promise<RemoteEnd> {
    const startBy = performance.now() + command.startWithinMs;
    const known = this.#pod;
    if (known !== undefined) {
      const end = await this.#sendTo(known, command, startBy);
      if (end.kind !== 'unreachable' || performance.now() >= startBy) return end;
    }
    const { access, timeoutMs } = this.#options;
    const leftMs = Math.max(1, Math.round(startBy - performance.now()));
    const found = await findLoginPod({ access, timeoutMs: Math.min(timeoutMs, leftMs) }, this.#options);
    return found.kind === 'present'
      ? this.#sendTo(found.value, command, startBy)
      : { kind: 'unreachable', because: found.because };
  }

  async #sendTo(pod: string, command: ShellCommand, startBy: number): Promise<RemoteEnd> {
    const startWithinMs = Math.round(startBy - performance.now());
    if (startWithinMs <= 0) {
      return { kind: 'unreachable', because: 'the API server took too long to say which pods there are' };
    }
    const { access, namespace, container } = this.#options;
    const end = await execInContainer(access, { namespace, pod, container }, { ...command, startWithinMs });
    this.#pod = end.kind === 'unreachable' || end.kind === 'lost' ? undefined : pod;
    return end;
  }
}
