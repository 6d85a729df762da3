import { describe, expect, it } from 'vitest';
import { fieldChanges, hideValues } from './field-changes.ts';

const changes = (before: unknown, after: unknown) =>
  fieldChanges(before, after).map((change) => [change.path, change.before, change.after]);

describe('the fields in which objects differ', () => {
  it('are told by path', () => {
    expect(changes({ a: 1, b: { c: [1] } }, { a: 1, b: { c: [1] } })).toEqual([]);
    expect(changes({ spec: { replicas: 1 } }, { spec: { replicas: 2 } })).toEqual([
      ['spec.replicas', '1', '2'],
    ]);
    expect(changes({ metadata: { annotations: { 'a/b': 'x' } } }, { metadata: { annotations: {} } })).toEqual(
      [['metadata.annotations["a/b"]', '"x"', null]],
    );
    expect(changes({ a: 1 }, { a: { b: 1 } })).toEqual([['a', '1', '{"b":1}']]);
  });

  it('name the items of lists where these have names', () => {
    const of = (image: string, ...more: object[]) => ({ containers: [...more, { name: 'web', image }] });
    expect(changes(of('a'), of('b', { name: 'side', image: 'c' }))).toEqual([
      ['containers[name="web"].image', '"a"', '"b"'],
      ['containers[name="side"]', null, '{"name":"side","image":"c"}'],
    ]);
    const ports = (port: number, targetPort: number) => ({ ports: [{ port, targetPort }] });
    expect(changes(ports(80, 1), ports(80, 2))).toEqual([['ports[port=80].targetPort', '1', '2']]);
    const init = (...names: string[]) => ({ init: names.map((name) => ({ name })) });
    expect(changes(init('a', 'b'), init('b', 'a'))).toEqual([['init', '["a","b"]', '["b","a"]']]);
  });

  it('number them otherwise, and tell lists of values as a whole', () => {
    expect(changes({ args: ['a'] }, { args: ['a', 'b'] })).toEqual([['args', '["a"]', '["a","b"]']]);
    expect(changes({ from: [{ ipBlock: 1 }] }, { from: [{ ipBlock: 2 }] })).toEqual([
      ['from[0].ipBlock', '1', '2'],
    ]);
    expect(changes({ from: [{ a: 1 }] }, { from: [] })).toEqual([['from', '[{"a":1}]', '[]']]);
  });

  it('are cut, and hidden where they are secret', () => {
    const [change] = fieldChanges({ a: 'x'.repeat(1000) }, {});
    expect(change?.before).toHaveLength(201);
    expect(hideValues(fieldChanges({ a: '1' }, { a: '2', b: '3' }))).toEqual([
      { path: 'a', before: '"(hidden)"', after: '"(hidden)"' },
      { path: 'b', before: null, after: '"(hidden)"' },
    ]);
  });
});
