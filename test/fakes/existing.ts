/** The value that a test knows to be there. @throws Error where it is not */
export function existing<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not there');
  return value;
}
