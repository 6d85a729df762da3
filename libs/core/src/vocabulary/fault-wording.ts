import { z } from 'zod';

type Issue = z.core.$ZodRawIssue;

const TYPES: Partial<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
const SIZES: Partial<Record<string, string>> = { string: 'characters', array: 'items' };

/**
 * Makes zod say what is wrong as all other faults do: a sentence that goes on from the name of the field and tells what
 * would be right. For the whole process.
 */
export function useFaultWording(): void {
  z.config({ localeError: faultWording });
}

function faultWording(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_big':
      return limit('at most', issue.maximum, issue.origin);
    case 'too_small':
      return limit('at least', issue.minimum, issue.origin);
    case 'unrecognized_keys':
      return `must not have ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}: there is no such field`;
    case 'invalid_key':
      return `is no name that is allowed here: it ${issue.issues.map(({ message }) => message).join(' and ')}`;
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'must be a time in UTC, such as "2026-03-01T12:00:00Z"'
        : 'does not have the form that is needed';
    case 'custom':
    case 'invalid_element':
    case 'invalid_union':
    case 'not_multiple_of':
      return 'is not what is needed here';
  }
}

function limit(bound: string, value: number | bigint, origin: string): string {
  const unit = SIZES[origin];
  if (unit !== undefined && bound === 'at least' && value === 1) return 'must not be empty';
  return unit === undefined ? `must be ${bound} ${value}` : `must have ${bound} ${value} ${unit}`;
}
