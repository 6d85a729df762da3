import type { LogLine, LogStream } from './log-line.ts';

/** A line longer than this many characters is handed out in pieces, so that no log can fill the memory. */
const LONGEST_LINE = 1024 * 1024;

/** A piece of a log as the API sends it. */
export interface LogPiece {
  /** Where the piece begins and ends in the log, in bytes. */
  start: number;
  end: number;
  text: string;
}

/** Puts the lines of a log together from pieces that follow one another. Only LF ends a line; a CR stays. */
export class LineSplitter {
  readonly #stream: LogStream;
  #rest: { text: string; offset: number } | undefined;

  constructor(stream: LogStream) {
    this.#stream = stream;
  }

  /** The lines that this piece completes. */
  *push(piece: LogPiece): Generator<LogLine, void, undefined> {
    const place = new PlaceInPiece(piece);
    let from = 0;
    for (let at = piece.text.indexOf('\n'); at !== -1; at = piece.text.indexOf('\n', from)) {
      yield this.#line(piece.text.slice(from, at), place.offsetOf(from));
      from = at + 1;
    }
    if (from === piece.text.length) return;
    this.#rest = {
      text: (this.#rest?.text ?? '') + piece.text.slice(from),
      offset: this.#rest?.offset ?? place.offsetOf(from),
    };
    if (this.#rest.text.length > LONGEST_LINE) yield* this.end();
  }

  /** The last line, where it has no line end. */
  *end(): Generator<LogLine, void, undefined> {
    if (this.#rest !== undefined) yield this.#line('', this.#rest.offset);
  }

  #line(text: string, offset: number): LogLine {
    const line = {
      text: (this.#rest?.text ?? '') + text,
      stream: this.#stream,
      offset: this.#rest?.offset ?? offset,
    };
    this.#rest = undefined;
    return line;
  }
}

/**
 * Tells byte offsets inside a piece from its text. Bytes that are no UTF-8 have become U+FFFD, one to three of them
 * each: between the first and the last of these, the offset told is at most the true one, so that who begins there
 * misses nothing.
 */
class PlaceInPiece {
  readonly #piece: LogPiece;
  readonly #surplus: number;
  #seenCharacters = 0;
  #seenBytes = 0;
  #seenReplacements = 0;

  constructor(piece: LogPiece) {
    this.#piece = piece;
    this.#surplus = utf8Length(piece.text) - (piece.end - piece.start);
  }

  /** @param index of a character, not before that of the last call */
  offsetOf(index: number): number {
    const passed = this.#piece.text.slice(this.#seenCharacters, index);
    this.#seenCharacters = index;
    this.#seenBytes += utf8Length(passed);
    if (this.#surplus === 0) return this.#piece.start + this.#seenBytes;
    this.#seenReplacements += passed.split('\ufffd').length - 1;
    const leastBefore = this.#seenBytes - 2 * this.#seenReplacements;
    return this.#piece.start + Math.max(leastBefore, this.#seenBytes - this.#surplus);
  }
}

const encoder = new TextEncoder();
const utf8Length = (text: string): number => encoder.encode(text).length;
