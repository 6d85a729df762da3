import { DebianPackagesError } from '../../scripts/debian-packages.ts';
import { LabError } from './lab-error.ts';

/** What a lab's command can be asked for. */
export interface LabCommand {
  /** Shown where something else is asked for. */
  usage: string;
  /** @returns what is there now, in words; undefined where the words behind `up` are not right */
  up(words: readonly string[], log: (line: string) => void): Promise<string | undefined>;
  down(log: (line: string) => void): Promise<void>;
  status(): Promise<{ text: string; healthy: boolean }>;
}

/** Does what `up`, `down` or `status` say, and sets the exit code: 1 for a failure, 2 for what it does not know. */
export async function runLabCommand(command: LabCommand): Promise<void> {
  try {
    process.exitCode = await answer(command, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof LabError) && !(error instanceof DebianPackagesError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function answer(command: LabCommand, [verb = '', ...words]: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1);
  switch (verb) {
    case 'up': {
      const text = await command.up(words, print);
      if (text === undefined) break;
      print(text);
      print(`Ready after ${seconds()} s.`);
      return 0;
    }
    case 'down':
      await command.down(print);
      print(`Done after ${seconds()} s.`);
      return 0;
    case 'status': {
      const { text, healthy } = await command.status();
      print(text);
      return healthy ? 0 : 1;
    }
  }
  console.error(command.usage);
  return 2;
}

function print(line: string): void {
  console.log(line);
}
