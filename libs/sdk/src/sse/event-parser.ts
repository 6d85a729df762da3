export interface ServerSentEvent {
  /** Id of this event; undefined where it has none. */
  id: string | undefined;
  /** `message` where the server does not say. */
  event: string;
  data: string;
}

/**
 * Reads an event stream from bytes that may be cut anywhere.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class EventParser {
  readonly #decoder = new TextDecoder();
  #line = '';
  #afterCarriageReturn = false;
  #id: string | undefined;
  #event = '';
  #data: string[] = [];

  /** The events that these bytes complete. */
  *push(bytes: Uint8Array): Generator<ServerSentEvent, void, undefined> {
    for (const line of this.#lines(this.#decoder.decode(bytes, { stream: true }))) {
      if (line !== '') {
        this.#field(line);
        continue;
      }
      const event = this.#dispatch();
      if (event !== undefined) yield event;
    }
  }

  *#lines(text: string): Generator<string, void, undefined> {
    let start = 0;
    for (let end = 0; end < text.length; end += 1) {
      const character = text[end];
      if (character !== '\n' && character !== '\r') continue;
      const endsNoLine = character === '\n' && end === start && this.#afterCarriageReturn;
      this.#afterCarriageReturn = character === '\r';
      const line = this.#line + text.slice(start, end);
      start = end + 1;
      if (endsNoLine) continue;
      this.#line = '';
      yield line;
    }
    if (start < text.length) {
      this.#line += text.slice(start);
      this.#afterCarriageReturn = false;
    }
  }

  #dispatch(): ServerSentEvent | undefined {
    const complete =
      this.#data.length === 0
        ? undefined
        : { id: this.#id, event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n') };
    this.#id = undefined;
    this.#event = '';
    this.#data = [];
    return complete;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
  }
}
