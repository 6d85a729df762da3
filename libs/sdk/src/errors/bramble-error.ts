/** Everything this library throws on purpose; an abort is the exception: it rejects with the signal's own reason. */
export class BrambleError extends Error {
  override readonly name: string = 'BrambleError';
  /** Stable code, for programs. */
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** The client was made with options that cannot work. */
export class ConfigurationError extends BrambleError {
  override readonly name = 'ConfigurationError';

  constructor(message: string) {
    super('configuration', message);
  }
}

/** This runtime cannot do what was asked for, such as writing files in a browser. */
export class UnsupportedError extends BrambleError {
  override readonly name = 'UnsupportedError';

  constructor(message: string) {
    super('unsupported', message);
  }
}

/** The API could not be reached, or the connection broke. `cause` has what the runtime said. */
export class ConnectionError extends BrambleError {
  override readonly name = 'ConnectionError';

  constructor(message: string, options?: { cause?: unknown }) {
    super('connection', message, options);
  }
}

/** The time that was given was over before the answer, or before what was waited for. */
export class TimeoutError extends BrambleError {
  override readonly name = 'TimeoutError';

  constructor(message: string) {
    super('timeout', message);
  }
}
