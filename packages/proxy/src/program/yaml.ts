/**
 * YAML as Envoy reads it: booleans of YAML 1.1, whole numbers (`0x` for hexadecimal, `0` for octal), nulls; every other
 * scalar is text, fractions and dates among them. Fields for numbers take such text; within a Struct it stays text.
 */
import { defineMappingTag, defineScalarTag, defineSequenceTag, FAILSAFE_SCHEMA, load, NOT_RESOLVED } from 'js-yaml';

const NULL = /^(?:|~|null|Null|NULL)$/;
const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const WHOLE = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0([0-7]+)|(0|[1-9]\d*))$/;

function scalar(text: string): unknown {
  if (NULL.test(text)) return null;
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  const [, sign, hexadecimal, octal, decimal] = WHOLE.exec(text) ?? [];
  if (sign === undefined) return NOT_RESOLVED;
  const size = BigInt(
    hexadecimal !== undefined ? `0x${hexadecimal}` : octal !== undefined ? `0o${octal}` : (decimal ?? '0'),
  );
  const value = sign === '-' ? -size : size;
  if (BigInt.asIntN(64, value) !== value) return NOT_RESOLVED;
  // Longer ones are the text of their digits.
  return BigInt.asIntN(32, value) === value ? Number(value) : String(value);
}

/** A scalar that is not text. As a key it is its text all the same. */
class Read {
  readonly text: string;
  readonly value: unknown;

  constructor(text: string, value: unknown) {
    this.text = text;
    this.value = value;
  }
}

const valueOf = (read: unknown): unknown => (read instanceof Read ? read.value : read);
const keyOf = (read: unknown): string => (read instanceof Read ? read.text : String(read));
const identify = (): boolean => false;

function resolve(text: string): Read | typeof NOT_RESOLVED {
  const value = scalar(text);
  return value === NOT_RESOLVED ? value : new Read(text, value);
}

type Fields = Map<string, unknown>;

const SCHEMA = FAILSAFE_SCHEMA.withTags(
  defineScalarTag('tag:envoy,scalar', { implicit: true, resolve, identify }),
  // What a tag says that the value is makes no difference.
  defineScalarTag('tag:yaml.org,2002:', {
    matchByTagPrefix: true,
    resolve: (text) => {
      const read = resolve(text);
      return read === NOT_RESOLVED ? text : read;
    },
    identify,
  }),
  defineSequenceTag<unknown[]>('tag:yaml.org,2002:seq', {
    create: () => [],
    addItem: (list, item) => void list.push(valueOf(item)),
    identify,
  }),
  defineMappingTag<Fields, object>('tag:yaml.org,2002:map', {
    create: () => new Map(),
    addPair: (fields, key, value) => {
      fields.set(keyOf(key), valueOf(value));
      return '';
    },
    has: (fields, key) => fields.has(keyOf(key)),
    keys: (made) => Object.keys(made),
    get: (made, key) => (made as Readonly<Record<string, unknown>>)[keyOf(key)],
    finalize: (fields) => Object.fromEntries(fields),
    identify,
  }),
);

/** @throws YAMLException */
export function readYaml(text: string, filename?: string): unknown {
  return valueOf(load(text, { schema: SCHEMA, ...(filename === undefined ? {} : { filename }) }));
}
