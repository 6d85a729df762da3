import { describe, expect, it } from 'vitest';
import { aptProblem } from './apt-problem.ts';
import { StepProblem } from './board-step.ts';
import { LongWorkFailed } from './run-long.ts';

const failed = (output: string) => new StepProblem(`apt failed with exit code 100: ${output}`);

describe("apt's failures in words", () => {
  it.each([
    [
      `Unpacking make (4.3-4.1) ...
dpkg: error processing archive /var/cache/apt/archives/make_4.3-4.1_arm64.deb (--unpack):
 cannot copy extracted data for './usr/bin/make' to '/usr/bin/make.dpkg-new': failed to write (No space left on device)
Errors were encountered while processing:
E: Sub-process /usr/bin/dpkg returned an error code (1)`,
      /^The board has no room left[^]*\ndpkg: error processing archive[^]*No space left on device[^]*\nE: Sub-process/,
    ],
    [
      "E: You don't have enough free space in /var/cache/apt/archives/.",
      /^The board has no room left[^]*\nE: You don't have enough/,
    ],
    ['E: Unable to locate package slurmd', /no package "slurmd"\./],
    ["E: Package 'slurmd' has no installation candidate", /no package "slurmd"\./],
    [
      'E: Release file for http://deb.debian.org/debian/dists/bookworm/InRelease is not valid yet (invalid for another 3h)',
      /^The board's clock is behind/,
    ],
    [
      'Err:1 http://deb.debian.org/debian bookworm/main arm64 make arm64 4.3-4.1\n  404  Not Found [IP: 10.0.0.11 3142]\nE: Failed to fetch http://deb.debian.org/debian/pool/main/m/make/make_4.3-4.1_arm64.deb  404  Not Found [IP: 10.0.0.11 3142]',
      /^A package source of the board, or the package proxy, does not give[^]*\nE: Failed to fetch/,
    ],
    [
      "E: The repository 'http://deb.debian.org/debian buster Release' does not have a Release file.",
      /^A package source of the board serves its release no more/,
    ],
    ['E: Could not write - write (30: Read-only file system)', /^A file system of the board is read-only/],
  ])('%#: %j', (output, said) => {
    const problem = aptProblem(failed(output));
    expect(problem.message).toMatch(said);
    expect(problem.passing).toBe(false);
  });

  it.each([
    'E: The package lock was not free within 900 s, held by unattended-upgr (process 812) ',
    'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 812 (unattended-upgr)',
  ])('may pass where somebody else is at work: %s', (output) => {
    const problem = aptProblem(failed(output));
    expect(problem.message).toMatch(/at work with the board's packages: unattended-upgr \(process 812\)\./);
    expect(problem.passing).toBe(true);
  });

  it.each([
    "Temporary failure resolving 'deb.debian.org'",
    'Could not connect to 10.0.0.11:3142 (10.0.0.11). - connect (113: No route to host)',
    'Unable to connect to 10.0.0.11:3142:',
    'Connection failed [IP: 10.0.0.11 3142]',
    'Error reading from server - read (104: Connection reset by peer) [IP: 10.0.0.11 3142]',
    '503  Connection timeout [IP: 10.0.0.11 3142]',
  ])('may pass where the network was away: %s', (because) => {
    const problem = aptProblem(
      failed(
        `Err:1 http://deb.debian.org/debian bookworm InRelease\n  ${because}\nE: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  ${because}`,
      ),
    );
    expect(problem.message).toMatch(
      /^The board cannot fetch packages\.[^]*\nErr:1 http[^]*\nE: Failed to fetch/,
    );
    expect(problem.passing).toBe(true);
  });

  it('stay as they are where nothing is known of them', () => {
    const strange = failed('E: Something else');
    expect(aptProblem(strange)).toBe(strange);
    const away = new StepProblem('The board went away: Failed to fetch', { passing: true });
    expect(aptProblem(away)).toBe(away);
  });

  it('are looked for in all that was written, where the end does not tell', () => {
    const line = 'dpkg: error processing archive cpp-12_arm64.deb (--unpack): No space left on device\n';
    const rest = 'Unpacking something else ...\n'.repeat(200);
    const problem = aptProblem(new LongWorkFailed('apt failed with exit code 100', `${line}${rest}`));
    expect(problem.message).toBe(aptProblem(failed(line)).message);
  });
});
