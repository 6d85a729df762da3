import type { BoardConnection } from '../../board-connection.ts';
import { writeBoardFile } from '../../board-files.ts';

/** A file of a board that is Bramble's alone, all of it. */
export interface OwnedFile {
  path: string;
  content: string;
  /** Octal, such as `755`. Default `644`. */
  mode?: string;
}

/** Path, mode and content of each file are `$@`, three by three. Tells the paths of those that are not so. */
export const OWNED_FILES_LINES = `
while [ "$#" -ge 3 ]; do
  if ! printf %s "$3" | cmp -s - "$1" || [ "$(stat -c %a "$1")" != "$2" ]; then echo "file $1"; fi
  shift 3
done
`;

export const ownedFilesArguments = (files: readonly OwnedFile[]): string[] =>
  files.flatMap(({ path, content, mode = '644' }) => [path, mode, content]);

/** @throws StepProblem */
export async function writeOwnedFiles(
  connection: BoardConnection,
  files: readonly OwnedFile[],
): Promise<void> {
  for (const { path, content, mode = '644' } of files)
    await writeBoardFile(connection, path, content, `0${mode}`);
}
