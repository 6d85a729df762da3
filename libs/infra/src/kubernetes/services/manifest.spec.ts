import { describe, expect, it } from 'vitest';
import { readHelmYaml } from './helm-yaml.ts';
import { hiddenTemplates, readManifest, secretsOf } from './manifest.ts';

describe('YAML as Helm reads it', () => {
  it.each([
    ['0644', 420],
    ['0o644', 420],
    ['0x1F', 31],
    ['-0b101', -5],
    ['1_000', 1000],
    ['08', 8],
    ['1e3', 1000],
    ['.5', 0.5],
    ['yes', true],
    ['Off', false],
    ['~', null],
    ['10:30', '10:30'],
    ['2026-11-20', '2026-11-20'],
    ['1.2.3', '1.2.3'],
    ['"0644"', '0644'],
    ['0x', '0x'],
  ])('%s', (text, value) => {
    expect(readHelmYaml(`a: ${text}`)).toEqual([{ a: value }]);
  });

  it('takes the last of a key that is given twice, and merges what is anchored', () => {
    expect(readHelmYaml('a: 1\na: 2\n')).toEqual([{ a: 2 }]);
    expect(readHelmYaml('a: &x { b: 1 }\nc: { <<: *x, d: 2 }\n')).toEqual([
      { a: { b: 1 }, c: { b: 1, d: 2 } },
    ]);
  });
});

describe('a manifest', () => {
  const named = (name: string, more = '') =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}${more} }\n`;

  it('has its objects in order, those of lists too, without empty documents and hooks', () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${named('c').trim().replaceAll('\n', '\n  ')}\n`;
    const hook = named('hook', ', annotations: { helm.sh/hook: pre-install }');
    const manifest = ['# Source: nothing', named('b'), list, hook, named('a')].join('\n---\n');
    expect(readManifest(manifest).map(({ metadata }) => metadata.name)).toEqual(['b', 'c', 'a']);
    expect(readManifest('')).toEqual([]);
  });

  it.each([
    ['a: [hunter2', 'The manifest is no YAML: see its line 1'],
    ['a: *hunter2', 'The manifest is no YAML: see its line 1'],
    ['hunter2', 'A document of the manifest is no object'],
    ['kind: Secret\ndata: { a: hunter2 }', 'A document of the manifest has no apiVersion or no kind'],
    [
      'apiVersion: v1\nkind: Secret\ndata: { a: hunter2 }',
      'The manifest has an object of the kind Secret without metadata.name',
    ],
  ])('tells what is wrong with it, and nothing that is in it: %s', (manifest, message) => {
    expect(() => readManifest(manifest)).toThrow(message);
  });

  it('tells which Secrets Helm has hidden', () => {
    const shown = '---\n# Source: c/templates/s.yaml\napiVersion: v1\nkind: Secret\nmetadata: { name: s }\n';
    const hidden =
      '---\n# Source: c/templates/s.yaml\n# HIDDEN: The Secret output has been suppressed\n' +
      '---\n# Source: c/templates/d.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: d }\n';
    expect([...hiddenTemplates(hidden)]).toEqual(['c/templates/s.yaml']);
    expect(readManifest(hidden).map(({ metadata }) => metadata.name)).toEqual(['d']);
    expect(secretsOf(shown, hiddenTemplates(hidden)).map(({ metadata }) => metadata.name)).toEqual(['s']);
  });
});
