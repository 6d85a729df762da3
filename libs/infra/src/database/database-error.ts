/** A statement that the database refused, or that did not reach it. It holds no parameters: they may be secret. */
export class DatabaseError extends Error {
  /** The five characters of the SQL standard, such as `23505`; undefined where the server did not answer. */
  readonly sqlState: string | undefined;

  constructor(message: string, options: { sqlState: string | undefined; cause: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'DatabaseError';
    this.sqlState = options.sqlState;
  }
}
