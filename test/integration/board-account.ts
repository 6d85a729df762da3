import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { account } from '../lab/accounts.ts';
import { signal } from '../lab/processes.ts';

const NAME = /^bramble-board-(\d+):/gm;

/** An ordinary account of a test's own, with a password and a home. The process that made it is in its name. */
export class BoardAccount {
  readonly name = `bramble-board-${process.pid}`;
  readonly password = randomBytes(12).toString('hex');
  readonly #sudoers = sudoersOf(this.name);

  private constructor() {
    remove(this.name);
    run('/usr/sbin/useradd', ['--create-home', '--shell', '/bin/bash', '--user-group', this.name]);
    run('/usr/sbin/chpasswd', [], `${this.name}:${this.password}\n`);
  }

  /** Removes what tests that were killed have left behind, too. */
  static make(): BoardAccount {
    for (const [, pid] of readFileSync('/etc/passwd', 'utf8').matchAll(NAME)) {
      if (!existsSync(`/proc/${pid}`)) remove(`bramble-board-${pid}`);
    }
    return new BoardAccount();
  }

  /** What sudo allows the account from now on. `ACCOUNT` stands for its name. */
  allow(...rules: string[]): void {
    const draft = `${this.#sudoers}.draft`;
    const text = rules.map((rule) => `${rule.replaceAll('ACCOUNT', this.name)}\n`).join('');
    writeFileSync(draft, text, { mode: 0o440 });
    try {
      run('/usr/sbin/visudo', ['-c', '-f', draft]);
      renameSync(draft, this.#sudoers);
    } finally {
      rmSync(draft, { force: true });
    }
  }

  remove(): void {
    remove(this.name);
  }
}

/** Sudo reads no file there whose name has a dot in it: a draft is none of its rules. */
const sudoersOf = (name: string): string => `/etc/sudoers.d/bramble-test-${name}`;

function remove(name: string): void {
  rmSync(sudoersOf(name), { force: true });
  rmSync(`/run/sudo/ts/${name}`, { force: true });
  if (!readFileSync('/etc/passwd', 'utf8').includes(`\n${name}:`)) return;
  const { uid } = account(name);
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    if (statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === uid) signal(Number(pid), 'SIGKILL');
  }
  run('/usr/sbin/userdel', ['--force', '--remove', name]);
}

function run(program: string, args: string[], input = ''): void {
  const { status, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed: ${stderr.trim()}`);
}
