import { describe, expect, it } from 'vitest';
import { fieldPath } from './field-path.ts';

describe('fieldPath', () => {
  it.each<[PropertyKey[], string]>([
    [[], ''],
    [['name'], 'name'],
    [['inputs', 0, 'path'], 'inputs[0].path'],
    [['mpi', 'source', 'name'], 'mpi.source.name'],
    [['command', 12], 'command[12]'],
    [['a', 0, 1], 'a[0][1]'],
    [[3], '[3]'],
    [['env', 'A'], 'env.A'],
  ])('writes %j as %s', (path, text) => {
    expect(fieldPath(path)).toBe(text);
  });
});
