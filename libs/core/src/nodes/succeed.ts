import type { BoardCommand, BoardConnection } from './board-connection.ts';
import { StepProblem } from './board-step.ts';

const SHOWN_CHARACTERS = 2000;

/**
 * Runs a command that has to succeed.
 * @throws StepProblem with the command's name, how it ended and the end of what it wrote
 */
export async function succeed(
  connection: BoardConnection,
  command: BoardCommand,
): Promise<{ stdout: string; stderr: string }> {
  const end = await connection.run(command);
  const [program] = command.argv;
  switch (end.kind) {
    case 'exited':
      if (end.code === 0) return end;
      throw new StepProblem(`${program} failed with exit code ${end.code}${written(end)}`);
    case 'broken':
      throw new StepProblem(`${program} was broken off: ${end.because}${written(end)}`);
    case 'lost':
    case 'unreachable':
      throw new StepProblem(`The board went away: ${end.because}`, { passing: true });
  }
}

function written({ stdout, stderr }: { stdout: string; stderr: string }): string {
  const text = (stderr.trim() === '' ? stdout : stderr).trim();
  return text === '' ? '.' : `: ${text.slice(-SHOWN_CHARACTERS)}`;
}
