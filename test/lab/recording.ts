import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a real Slurm answered to one command. Parser tests read these instead of starting a lab. */
export interface Recording {
  /** The command as a shell would take it, with the environment variables that matter in front. */
  command: string;
  /** Null when a signal ended the command. */
  exitCode: number | null;
  durationMs: number;
  /** Verbatim, control characters included. */
  stdout: string;
  stderr: string;
}

const DIRECTORY = fileURLToPath(new URL('recorded/', import.meta.url));
const SECTIONS = ['command', 'exit code', 'duration in ms', 'stdout', 'stderr'] as const;

/** The names of all recordings, to be read with {@link readRecording}. */
export function recordingNames(): string[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.txt'))
    .map((file) => file.slice(0, -'.txt'.length))
    .sort();
}

export function readRecording(name: string): Recording {
  const content = readFileSync(`${DIRECTORY}${name}.txt`, 'utf8');
  const [command = '', exitCode = '', duration = '', stdout = '', stderr = ''] = SECTIONS.map(
    (section, index) => {
      const start = content.indexOf(`== ${section}\n`);
      const next = SECTIONS[index + 1];
      const end = next === undefined ? content.length : content.indexOf(`== ${next}\n`, start);
      if (start < 0 || end < 0) throw new Error(`The recording ${name} has no section "${section}"`);
      return content.slice(start + `== ${section}\n`.length, end);
    },
  );
  return {
    command: command.trimEnd(),
    exitCode: exitCode.trimEnd() === 'null' ? null : Number(exitCode),
    durationMs: Number(duration),
    stdout,
    stderr,
  };
}

export function writeRecording(name: string, recording: Recording): void {
  const values = [
    `${recording.command}\n`,
    `${String(recording.exitCode)}\n`,
    `${Math.round(recording.durationMs)}\n`,
    recording.stdout,
    recording.stderr,
  ];
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(
    `${DIRECTORY}${name}.txt`,
    SECTIONS.map((section, index) => `== ${section}\n${values[index]}`).join(''),
  );
}
