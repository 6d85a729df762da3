import { spawnSync } from 'node:child_process';
import type { BoardConnection } from '#core/nodes/board-connection';

/** This machine as a board: commands are run here, by this process's own account. */
export const localBoard = (environment: Record<string, string> = {}): BoardConnection => ({
  hostKeySha256: `SHA256:${'a'.repeat(43)}`,
  run: async ({ argv: [program, ...args], input = '' }) => {
    const { status, stdout, stderr } = spawnSync(program, args, {
      input,
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', ...environment },
    });
    return status === null
      ? { kind: 'broken', because: 'a signal ended it', stdout, stderr }
      : { kind: 'exited', code: status, stdout, stderr };
  },
  close: () => {},
});
