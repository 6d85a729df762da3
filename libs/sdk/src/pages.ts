/** One page of a list. */
export interface Page<T> {
  items: T[];
  /** What the query's `cursor` is to be for the page after this one; null at the end. */
  next: string | null;
}

/** A list that is fetched page by page: all of it with `for await`, or one page of it with `page()`. */
export class Pages<T> implements AsyncIterable<T> {
  readonly #firstCursor: string | undefined;
  readonly #fetch: (cursor: string | undefined) => Promise<Page<T>>;

  constructor(firstCursor: string | undefined, fetch: (cursor: string | undefined) => Promise<Page<T>>) {
    this.#firstCursor = firstCursor;
    this.#fetch = fetch;
  }

  /** The page at the query's cursor, which is the first one where it has none. */
  page(): Promise<Page<T>> {
    return this.#fetch(this.#firstCursor);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let page = await this.page();
    yield* page.items;
    while (page.next !== null) {
      page = await this.#fetch(page.next);
      yield* page.items;
    }
  }
}
