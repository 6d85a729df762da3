/** The time, as a port, so that rules about time can be tested. */
export interface Clock {
  now(): Date;
}

/** Makes identifiers that are unique for ever and sort by creation, such as `job_01k…`. */
export interface IdGenerator {
  next(prefix: 'job' | 'art' | 'usr' | 'key' | 'brd' | 'op' | 'dsc'): string;
}
