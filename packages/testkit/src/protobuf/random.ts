import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import fc, { type GeneratorValue } from 'fast-check';
import { envoyRegistry } from './registry.ts';

/** Types that an Any is made to hold: ordinary ones, ones without fields, and those with a JSON of their own. */
const IN_ANY = [
  'envoy.config.core.v3.Address',
  'envoy.config.core.v3.TypedExtensionConfig',
  'envoy.extensions.filters.http.router.v3.Router',
  'envoy.extensions.filters.http.lua.v3.Lua',
  'envoy.extensions.filters.http.compressor.v3.Compressor',
  'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer',
  'envoy.extensions.filters.http.golang.v3alpha.Config',
  'stats.PluginConfig',
  'udpa.type.v1.TypedStruct',
  'google.protobuf.Any',
  'google.protobuf.Duration',
  'google.protobuf.Timestamp',
  'google.protobuf.FieldMask',
  'google.protobuf.Struct',
  'google.protobuf.Value',
  'google.protobuf.ListValue',
  'google.protobuf.BoolValue',
  'google.protobuf.UInt64Value',
  'google.protobuf.BytesValue',
];
const registry = envoyRegistry();
const WITH_VALUE = new Set(IN_ANY.filter((type) => type.startsWith('google.protobuf.')));

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('', '__proto__', 'a'.repeat(200), 'outbound|8080||reviews.default.svc.cluster.local'),
);
const key = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('', '__proto__', 'constructor', 'envoy.lb'));
/** Floats of few digits: other implementations print more of them than there are. */
const float = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map((n) => n / 8),
  fc.constantFrom('NaN', 'Infinity', '-Infinity'),
);
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
  fc.constantFrom('NaN', 'Infinity', '-Infinity'),
);
const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 0x7fff_ffff, -0x8000_0000));
const uint32 = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 127, 128, 0xffff_ffff));
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 2n ** 53n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 31n, -(2n ** 32n)),
);
const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n),
);
const bytes = fc.uint8Array({ maxLength: 20 }).map((each) => Buffer.from(each).toString('base64'));
const nanos = fc.constantFrom('', '.5', '.001', '.000001', '.123456789');
const duration = fc
  .tuple(fc.integer({ min: -315_576_000, max: 315_576_000 }), nanos)
  .map(([seconds, fraction]) => `${seconds}${fraction}s`);
const timestamp = fc
  .tuple(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), nanos)
  .map(([seconds, fraction]) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction}Z`);
const fieldMask = fc
  .array(fc.constantFrom('a', 'fooBar', 'foo.barBaz', 'x1'), { maxLength: 3 })
  .map((all) => all.join(','));
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const struct = fc.dictionary(key, json, { maxKeys: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);

function pick<T>(g: GeneratorValue, from: readonly T[]): T {
  return from[g(fc.nat, from.length - 1)]!;
}

function scalar(g: GeneratorValue, type: ScalarType): Json {
  switch (type) {
    case ScalarType.STRING:
      return g(() => text);
    case ScalarType.BOOL:
      return g(fc.boolean);
    case ScalarType.BYTES:
      return g(() => bytes);
    case ScalarType.DOUBLE:
      return g(() => double);
    case ScalarType.FLOAT:
      return g(() => float);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return g(() => int32);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return g(() => uint32);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return String(g(() => uint64));
    default:
      return String(g(() => int64));
  }
}

function mapKey(g: GeneratorValue, type: ScalarType): string {
  if (type === ScalarType.STRING) return g(() => key);
  return JSON.stringify(scalar(g, type)).replaceAll('"', '');
}

/** Puts a value under a name, also under `__proto__`. */
function put(target: object, name: string, value: Json): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function element(g: GeneratorValue, field: DescField, depth: number): Json {
  if (field.enum !== undefined) {
    const names = field.enum.values.map((value) => value.name);
    return field.enum.typeName === 'google.protobuf.NullValue' ? null : pick(g, names);
  }
  if (field.message !== undefined) return randomMessage(g, field.message, depth + 1);
  return scalar(g, field.scalar!);
}

function value(g: GeneratorValue, field: DescField, depth: number): Json {
  if (field.fieldKind === 'list') {
    return Array.from({ length: g(fc.integer, { min: 0, max: 3 }) }, () => element(g, field, depth));
  }
  if (field.fieldKind === 'map') {
    const map = {};
    for (let i = g(fc.integer, { min: 0, max: 3 }); i > 0; i--)
      put(map, mapKey(g, field.mapKey), element(g, field, depth));
    return map;
  }
  return element(g, field, depth);
}

function any(g: GeneratorValue, depth: number): Json {
  if (depth > 5) return {};
  const type = pick(g, IN_ANY);
  const message = randomMessage(g, registry.getMessage(type)!, depth + 1);
  const head = { '@type': `type.googleapis.com/${type}` };
  return WITH_VALUE.has(type) ? { ...head, value: message } : { ...head, ...(message as object) };
}

/** The proto3 JSON of some message of a type, drawn from a `fc.gen()`; nested to a depth of a few. */
export function randomMessage(g: GeneratorValue, message: DescMessage, depth = 0): Json {
  switch (message.typeName) {
    case 'google.protobuf.Any':
      return any(g, depth);
    case 'google.protobuf.Struct':
      return g(() => struct);
    case 'google.protobuf.Value':
      return g(() => json);
    case 'google.protobuf.ListValue':
      return g(() => fc.array(json, { maxLength: 3 }));
    case 'google.protobuf.Duration':
      return g(() => duration);
    case 'google.protobuf.Timestamp':
      return g(() => timestamp);
    case 'google.protobuf.FieldMask':
      return g(() => fieldMask);
    case 'google.protobuf.Empty':
      return {};
  }
  if (/^google\.protobuf\.\w+Value$/.test(message.typeName)) return scalar(g, message.fields[0]!.scalar!);
  const out = {};
  for (const member of message.members) {
    // Few fields deep inside, so that messages end.
    if (!g(fc.boolean) || (depth > 1 && g(fc.integer, { min: 0, max: depth }) > 0)) continue;
    const field = member.kind === 'oneof' ? pick(g, member.fields) : member;
    if (depth > 6 && field.message !== undefined) continue;
    put(out, field.jsonName, value(g, field, depth));
  }
  return out;
}
