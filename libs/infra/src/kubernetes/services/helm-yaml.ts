import {
  FAILSAFE_SCHEMA,
  NOT_RESOLVED,
  Schema,
  boolYaml11Tag,
  defineScalarTag,
  loadAll,
  mergeTag,
  nullYaml11Tag,
} from 'js-yaml';

const DIGITS = '+-0123456789'.split('');
/** Go's `strconv.ParseInt` with base 0. */
const INTEGER = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

const integerTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: DIGITS,
  resolve: (source) => readInteger(source) ?? NOT_RESOLVED,
  identify: () => false,
});

const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: [...DIGITS, '.'],
  resolve: (source) => {
    const plain = source.replaceAll('_', '');
    return FLOAT.test(plain) ? Number(plain) : NOT_RESOLVED;
  },
  identify: () => false,
});

/**
 * YAML as Helm reads it, which is that of `go.yaml.in/yaml/v2`: 1.1 in `yes`, `on` and octal `0644`, without numbers of
 * base 60 and without dates. By YAML 1.2 a volume's `defaultMode: 0644` would be 644.
 */
const HELM_SCHEMA = new Schema([
  ...FAILSAFE_SCHEMA.tags,
  nullYaml11Tag,
  boolYaml11Tag,
  integerTag,
  floatTag,
  mergeTag,
]);

/**
 * The documents of a manifest; a key that is given twice has its last value, as for Helm.
 * @throws YAMLException
 */
export const readHelmYaml = (text: string): unknown[] => loadAll(text, { schema: HELM_SCHEMA, json: true });

function readInteger(source: string): number | undefined {
  const match = INTEGER.exec(source.replaceAll('_', ''));
  if (match === null) return undefined;
  const [, sign, hexadecimal, octal, binary, decimal] = match;
  const value =
    hexadecimal !== undefined
      ? parseInt(hexadecimal, 16)
      : octal !== undefined
        ? parseInt(octal, 8)
        : binary !== undefined
          ? parseInt(binary, 2)
          : Number(decimal);
  return sign === '-' ? -value : value;
}
