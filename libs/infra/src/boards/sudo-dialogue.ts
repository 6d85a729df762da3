import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { SudoMarks } from './board-command-line.ts';

/**
 * Talks with sudo on the streams of a command. Sudo may ask for the password or not, by its rules and by what it
 * remembers, and asks again when it was wrong. So the password is sent when it is asked for, once; and the command's input
 * when the command runs. Were both sent at once, a sudo that does not ask would hand the password to the command, and one
 * that asks again would try the input as passwords.
 */
export class SudoDialogue {
  readonly marks: SudoMarks;
  readonly #user: string;
  readonly #password: string | null;
  readonly #input: string;
  #stdin: Writable | undefined;
  #stderr = '';
  #questions = 0;
  #isStarted = false;

  /** @param password null where sudo must not ask */
  constructor({ user, password, input }: { user: string; password: string | null; input: string }) {
    const id = randomUUID();
    this.marks = { asks: password === null ? null : `password-${id}:`, started: `started-${id}` };
    this.#user = user;
    this.#password = password;
    this.#input = input;
  }

  readonly begin = (stdin: Writable): void => {
    this.#stdin = stdin;
    this.#answer();
  };

  hear(chunk: Buffer): void {
    if (this.#isStarted) return;
    this.#stderr += chunk.toString('latin1');
    this.#answer();
  }

  /** Whether root has run the command. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** @returns what the command itself wrote to the stderr that it shared with sudo */
  ownStderr(stderr: string): string {
    const line = `${this.marks.started}\n`;
    return stderr.slice(stderr.indexOf(line) + line.length);
  }

  /** Why root has not run the command, in words, without the password. */
  refusal(stderr: string): string {
    if (this.#password !== null && !isOneLine(this.#password)) return 'a password for sudo is one line';
    if (this.#questions > 1) return `sudo does not take this password for ${this.#user}`;
    const { asks } = this.marks;
    const unasked = asks === null ? stderr : stderr.replaceAll(asks, '');
    const said = this.#password === null ? unasked : unasked.replaceAll(this.#password, '');
    return said.trim() === '' ? 'sudo did not start the command, and did not say why' : said.trim();
  }

  #answer(): void {
    const stdin = this.#stdin;
    if (stdin === undefined) return;
    if (this.#stderr.includes(`${this.marks.started}\n`)) {
      this.#isStarted = true;
      stdin.end(this.#input);
      return;
    }
    const { asks } = this.marks;
    if (asks === null || this.#password === null) return;
    const questions = this.#stderr.split(asks).length - 1;
    if (questions === this.#questions) return;
    this.#questions = questions;
    if (questions === 1 && isOneLine(this.#password)) stdin.write(`${this.#password}\n`);
    else stdin.end();
  }
}

/** The command would read what follows the first line. */
const isOneLine = (password: string): boolean => !/[\r\n\0]/.test(password);
