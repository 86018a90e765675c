import { expect, test } from 'vitest';
import { decode, encode, XdsCodecError } from './index.ts';

/** A message in JSON, encoded and decoded. */
function through(type: string, value: object): object {
  return decode(type, encode(type, value));
}

/** One value of a well-known type, encoded and decoded; or what is wrong with it. */
function wellKnown(name: string, value: unknown): unknown {
  try {
    return through(`google.protobuf.${name}`, { value })['value' as never];
  } catch (error) {
    if (error instanceof XdsCodecError) return `${error.path}: ${error.problem}`;
    throw error;
  }
}

test.each([
  ['Duration', '1.5s', '1.500s'],
  ['Duration', '-0.000000001s', '-0.000000001s'],
  ['Duration', '-3s', '-3s'],
  ['Duration', '0s', '0s'],
  ['Duration', '1.000010s', '1.000010s'],
  ['Duration', '315576000000s', '315576000000s'],
  ['Duration', '315576000001s', 'value: `315576000001s` is longer than 315576000000s'],
  ['Duration', '5', 'value: `5` is not a duration such as `1.5s`'],
  ['Duration', '1m', 'value: `1m` is not a duration such as `1.5s`'],
  ['Duration', 5, 'value: `5` is not a duration such as `1.5s`'],
  ['Timestamp', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z'],
  ['Timestamp', '2026-01-31T12:00:00.5+01:30', '2026-01-31T10:30:00.500Z'],
  ['Timestamp', '1969-12-31T23:59:59.999999999Z', '1969-12-31T23:59:59.999999999Z'],
  ['Timestamp', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ['Timestamp', '2026-02-30T00:00:00Z', 'value: `2026-02-30T00:00:00Z` is not a time that exists'],
  ['Timestamp', '0001-01-01T00:00:00+01:00', 'value: `0001-01-01T00:00:00+01:00` is not a time that exists'],
  ['Timestamp', 'yesterday', 'value: `yesterday` is not a time such as `2026-01-31T12:00:00Z`'],
  ['FieldMask', 'fooBar.baz,qux', 'fooBar.baz,qux'],
  ['FieldMask', '', ''],
  ['FieldMask', 'foo_bar', 'value: `foo_bar` is not in camelCase'],
  ['UInt32Value', '4294967295', 4294967295],
  ['UInt32Value', 1e3, 1000],
  ['UInt32Value', -1, 'value: `-1` is not between 0 and 4294967295'],
  ['UInt32Value', 1.5, 'value: `1.5` is not an integer'],
  ['UInt32Value', '', 'value: `` is not an integer'],
  ['UInt64Value', '18446744073709551615', '18446744073709551615'],
  ['UInt64Value', 5, '5'],
  ['UInt64Value', '18446744073709551616', 'value: `18446744073709551616` is not between 0 and 18446744073709551615'],
  ['UInt64Value', -1, 'value: `-1` is not between 0 and 18446744073709551615'],
  ['Int64Value', '-9223372036854775808', '-9223372036854775808'],
  [
    'Int64Value',
    '1111111111111111111111',
    'value: `1111111111111111111111` is not between -9223372036854775808 and 9223372036854775807',
  ],
  ['BoolValue', true, true],
  ['BoolValue', 'true', 'value: `true` is not `true` or `false`'],
  ['StringValue', 'é\u{1F600}', 'é\u{1F600}'],
  ['StringValue', '\uD800', 'value: has half of a surrogate pair, which is no Unicode text'],
  ['BytesValue', 'AP-_', 'AP+/'],
  ['BytesValue', 'AA', 'AA=='],
  ['BytesValue', 'A', 'value: `A` is not base64'],
  ['BytesValue', 'AA=', 'value: `AA=` is not base64'],
  ['BytesValue', 'A A=', 'value: `A A=` is not base64'],
  ['DoubleValue', 'NaN', 'NaN'],
  ['DoubleValue', '-Infinity', '-Infinity'],
  ['DoubleValue', '1e-7', 1e-7],
  ['DoubleValue', NaN, 'value: `NaN` is not a number'],
  ['FloatValue', 0.1, 0.1],
  ['FloatValue', 16777217, 16777216],
  ['FloatValue', 1e39, 'value: `1e+39` is too large for a float'],
  ['Value', null, null],
  ['Value', { a: [1, 'x', { b: false }] }, { a: [1, 'x', { b: false }] }],
  ['ListValue', [], []],
  ['Struct', 'x', 'value: `x` is not an object (google.protobuf.Struct)'],
])('google.protobuf.%s %j is %j', (name, value, expected) => {
  expect(wellKnown(name, value)).toEqual(expected);
});

test('a number of many digits costs little to refuse', () => {
  expect(wellKnown('UInt32Value', `${'9'.repeat(300_000)}x`)).toMatch(/is not an integer$/);
});

test('defaults of fields without presence are not written, with presence they are', () => {
  const type = 'envoy.config.core.v3.SocketAddress';
  expect(encode(type, { address: '', ipv4Compat: false, protocol: 'TCP' })).toHaveLength(0);
  expect(through(type, { portValue: 0 })).toEqual({ portValue: 0 });
  expect(through('envoy.config.cluster.v3.Cluster', { perConnectionBufferLimitBytes: 0 })).toEqual({
    perConnectionBufferLimitBytes: 0,
  });
});

test('null is an absent field', () => {
  expect(
    through('envoy.config.cluster.v3.Cluster', { name: null, filters: null, lbPolicy: null, metadata: null }),
  ).toEqual({});
});

test('an Any holds any message', () => {
  const any = (value: object): object => through('google.protobuf.Any', value);
  const prefix = 'type.googleapis.com/';
  for (const value of [
    {},
    { '@type': `${prefix}envoy.extensions.filters.http.router.v3.Router` },
    { '@type': `${prefix}google.protobuf.Empty` },
    { '@type': `${prefix}google.protobuf.Duration`, value: '1s' },
    { '@type': `${prefix}google.protobuf.Struct`, value: { value: 1 } },
    { '@type': `${prefix}google.protobuf.Any`, value: { '@type': `${prefix}google.protobuf.BoolValue`, value: true } },
  ])
    expect(any(value)).toEqual(value);
  // Go writes a `value` for google.protobuf.Empty, C++ does not.
  expect(any({ '@type': `${prefix}google.protobuf.Empty`, value: {} })).toEqual({
    '@type': `${prefix}google.protobuf.Empty`,
  });
});

test.each([
  [{ name: 'x' }, ': has no `@type`'],
  [{ '@type': 7 }, ': `@type` is `7`, which is not a string'],
  [
    { '@type': 'envoy.config.core.v3.Address' },
    ': `@type` is `envoy.config.core.v3.Address`, which is not a type URL such as `type.googleapis.com/…`',
  ],
  [{ '@type': 'type.googleapis.com/constructor' }, ': the type `type.googleapis.com/constructor` is not known'],
  [
    { '@type': 'type.googleapis.com/google.protobuf.Duration', seconds: 1 },
    'seconds: google.protobuf.Duration has no such field',
  ],
  [
    { '@type': 'type.googleapis.com/google.protobuf.Duration' },
    ': google.protobuf.Duration has its content in `value`, which is missing',
  ],
  [
    { '@type': 'type.googleapis.com/google.protobuf.Duration', value: 1 },
    'value: `1` is not a duration such as `1.5s`',
  ],
])('the Any %j: %s', (value, said) => {
  expect(() => encode('google.protobuf.Any', value)).toThrow(`google.protobuf.Any: ${said.replace(/^: /, '')}`);
});

test('a type that is not known keeps its bytes', () => {
  const bytes = Buffer.concat([Buffer.from('0a05782f6162631202', 'hex'), Buffer.from([8, 1])]);
  expect(decode('google.protobuf.Any', bytes)).toEqual({ '@type': 'x/abc', value: 'CAE=' });
});

test('maps of every kind of key', () => {
  const type = 'envoy.config.core.v3.Metadata';
  const metadata = JSON.parse('{"filterMetadata": {"": {}, "__proto__": {"__proto__": 1}}}') as object;
  expect(JSON.stringify(through(type, metadata))).toBe(JSON.stringify(metadata));
  const source = { positions: { '-9223372036854775808': 1, '7': 2 } };
  expect(through('cel.expr.SourceInfo', source)).toEqual(source);
  const match = { paramsMatch: { '4294967295': { exactMatch: 'x' }, '0': {} } };
  expect(through('envoy.extensions.filters.network.dubbo_proxy.v3.MethodMatch', match)).toEqual(match);
  expect(() => encode('cel.expr.SourceInfo', { positions: { x: 1 } })).toThrow(
    'positions["x"]: the key `x` is not an integer',
  );
});

test('only one field of a oneof', () => {
  expect(() => encode('envoy.config.core.v3.Address', { pipe: { path: '/x' }, socketAddress: {} })).toThrow(
    'only one of `pipe`, `socketAddress` can be set',
  );
});

test('messages of newer Envoys: their types, fields and enum values', () => {
  const golang = { libraryId: 'a', libraryPath: '/a.so', pluginName: 'p' };
  expect(through('envoy.extensions.filters.http.golang.v3alpha.Config', golang)).toEqual(golang);
  const cluster = { name: 'a', statsMatcher: { rejectAll: true } };
  expect(through('envoy.config.cluster.v3.Cluster', cluster)).toEqual(cluster);
  const tls = { compliancePolicies: ['CNSA2_202603'] };
  expect(through('envoy.extensions.transport_sockets.tls.v3.TlsParameters', tls)).toEqual(tls);
});
