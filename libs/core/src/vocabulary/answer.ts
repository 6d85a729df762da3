/**
 * The answer of a system that may be away. "Absent" says that the system was asked and has no such thing;
 * "unknown" says that it could not be asked, and is never evidence of anything.
 */
export type Answer<T> = Present<T> | Absent | Unknown;
export interface Present<T> {
  kind: 'present';
  value: T;
}
export interface Absent {
  kind: 'absent';
}
export interface Unknown {
  kind: 'unknown';
  /** Why it could not be asked, for logs and for `/readyz`. */
  because: string;
}

export const absent: Absent = { kind: 'absent' };
export const present = <T>(value: T): Present<T> => ({ kind: 'present', value });
export const unknown = (because: string): Unknown => ({ kind: 'unknown', because });
