import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuSecondsOf } from '../costs/cpu-time.ts';
import { noteCost, timed } from '../costs/ledger.ts';
import { PATIENCE_MS } from '../patience.ts';

const START_TIMEOUT_MS = PATIENCE_MS;
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
/** A good part of a start is compiling, and specs start processes by the dozen. Those that end in order write it. */
const COMPILED = join(CHECKOUT, 'node_modules/.cache/compiled');

/** The api or a worker as a process of its own, as it is built, that a test may kill. */
export class ServiceProcess {
  readonly #entryFile: string;
  readonly #environment: Record<string, string>;
  readonly #logFile: string;
  readonly #url: string;
  #child: ChildProcess | undefined;

  constructor(options: {
    entryFile: string;
    environment: Record<string, string>;
    logFile: string;
    url: string;
  }) {
    this.#entryFile = options.entryFile;
    this.#environment = options.environment;
    this.#logFile = options.logFile;
    this.#url = options.url;
  }

  get #name(): string {
    return basename(this.#entryFile, '.js');
  }

  get url(): string {
    return this.#url;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts the process, and returns when it is ready. */
  start(extraEnvironment: Record<string, string> = {}): Promise<void> {
    return timed(this.#name, async () => {
      this.launch(extraEnvironment);
      await this.#ready();
    });
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline && this.isRunning) {
      const ready = await fetch(`${this.#url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) return;
      await sleep(50);
    }
    throw new Error(`${this.#entryFile} did not become ready:\n${this.log().slice(-4000)}`);
  }

  launch(extraEnvironment: Record<string, string> = {}): void {
    if (this.isRunning) throw new Error(`${this.#entryFile} is running already`);
    const child = spawn(process.execPath, [this.#entryFile], {
      cwd: CHECKOUT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILED },
        ...this.#environment,
        ...extraEnvironment,
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => appendFileSync(this.#logFile, chunk));
    }
    this.#child = child;
  }

  /** SIGKILL: no instruction of the process runs after this. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Waits for the process to end by itself. */
  async ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const child = this.#child;
    if (child === undefined) throw new Error('the process was never started');
    if (this.isRunning) await once(child, 'exit');
    return { code: child.exitCode, signal: child.signalCode };
  }

  log(): string {
    try {
      return readFileSync(this.#logFile, 'utf8');
    } catch {
      return '';
    }
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const pid = this.#child?.pid;
    if (!this.isRunning || pid === undefined) return;
    noteCost({ kind: 'process', name: this.#name, cpuSeconds: cpuSecondsOf(pid) });
    this.#child?.kill(signal);
    await this.ended();
  }
}
