import { typeid } from 'typeid-js';
import type { IdGenerator } from '#core/vocabulary/clock';

/** TypeIDs: the prefix and 26 characters of a UUIDv7, such as `job_01k5…`, which sort by the time they were made. */
export const typeIdGenerator: IdGenerator = { next: (prefix) => typeid(prefix).toString() };
