import { BrambleError } from './bramble-error.ts';

/** A path that would leave its directory, or that is no plain relative path. Nothing was written. */
export class UnsafePathError extends BrambleError {
  override readonly name = 'UnsafePathError';
  readonly path: string;

  constructor(path: string, fault: string) {
    super('unsafe_path', `The path ${JSON.stringify(path)} ${fault}.`);
    this.path = path;
  }
}

/** The bytes that came are not those that were announced. No file was made of them. */
export class IntegrityError extends BrambleError {
  override readonly name = 'IntegrityError';

  constructor(message: string) {
    super('integrity', message);
  }
}

/** A download would replace a file that is there with other content. */
export class FileExistsError extends BrambleError {
  override readonly name = 'FileExistsError';
  readonly path: string;

  constructor(path: string) {
    super('file_exists', `"${path}" is there already, with other content; "overwrite: true" replaces it.`);
    this.path = path;
  }
}
