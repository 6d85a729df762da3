/** A question that cannot be answered for a reason of its own, told in its message; nothing is wrong with the connection. */
export class Unanswerable extends Error {
  override readonly name: string = 'Unanswerable';
}
