import { expect, test } from 'vitest';
import { decode, encode, MAX_BYTES, XdsCodecError } from './index.ts';

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const bytes = (...parts: (string | Uint8Array)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)));

/** A field with a length: its number (below 16), then what it holds. */
function field(number: number, content: Uint8Array): Uint8Array {
  const size: number[] = [];
  let rest = content.length;
  for (; rest > 127; rest >>>= 7) size.push((rest & 127) | 128);
  return bytes(Uint8Array.of((number << 3) | 2, ...size, rest), content);
}

function refused(type: string, message: Uint8Array): string {
  try {
    decode(type, message);
  } catch (error) {
    if (error instanceof XdsCodecError) return `${error.path}: ${error.problem}`;
    throw error;
  }
  throw new Error('was decoded');
}

test('fields and enum values that the schema does not have are passed over', () => {
  // Field 15000 of each wire type, a group in a group among them, before the name.
  const unknown = ['c0a90705', 'c1a9070102030405060708', 'c2a90703616263', 'c3a9070b0c0801c4a907', 'c5a90701020304'];
  expect(decode(CLUSTER, bytes(...unknown, '0a0161'))).toEqual({ name: 'a' });
  // lb_policy (6) 99; the same in a list and in a oneof (type, 2).
  expect(decode(CLUSTER, bytes('3063', '1063'))).toEqual({});
});

test('packed and unpacked lists of numbers', () => {
  // envoy.config.route.v3.RetryPolicy.retriable_status_codes (7)
  const type = 'envoy.config.route.v3.RetryPolicy';
  const list = { retriableStatusCodes: [503, 504, 1] };
  expect(decode(type, bytes('3a05f703f80301'))).toEqual(list);
  expect(decode(type, bytes('38f703', '38f803', '3801'))).toEqual(list);
  expect(decode(type, bytes('3a02f703', '38f803', '3a0101'))).toEqual(list);
  expect(decode(type, bytes('3a00'))).toEqual({});
  expect(Buffer.from(encode(type, list)).toString('hex')).toBe('3a05f703f80301');
});

test('a message that comes in parts is put together', () => {
  const parts = bytes(
    encode(CLUSTER, {
      name: 'a',
      metadata: { filterMetadata: { x: { a: 1 } } },
      connectTimeout: '1s',
      filters: [{ name: 'f' }],
    }),
    encode(CLUSTER, {
      name: 'b',
      metadata: { filterMetadata: { y: {} } },
      connectTimeout: '0.5s',
      filters: [{ name: 'g' }],
    }),
  );
  expect(decode(CLUSTER, parts)).toEqual({
    name: 'b',
    metadata: { filterMetadata: { x: { a: 1 }, y: {} } },
    connectTimeout: '1.500s',
    filters: [{ name: 'f' }, { name: 'g' }],
  });
});

test('of a oneof the last one stays', () => {
  const type = 'envoy.config.core.v3.Address';
  const socket = encode(type, { socketAddress: { address: '1.1.1.1', portValue: 1 } });
  const pipe = encode(type, { pipe: { path: '/x' } });
  expect(decode(type, bytes(socket, pipe))).toEqual({ pipe: { path: '/x' } });
  expect(decode(type, bytes(pipe, socket, pipe))).toEqual({ pipe: { path: '/x' } });
  // Within messages that are merged, too.
  const endpoint = 'envoy.config.endpoint.v3.Endpoint';
  expect(decode(endpoint, bytes(field(1, socket), field(1, pipe)))).toEqual({ address: { pipe: { path: '/x' } } });
});

test('a default that comes last takes back what came before', () => {
  const type = 'envoy.config.core.v3.SocketAddress';
  expect(decode(type, bytes('0801', '0800', '120161', '1200'))).toEqual({});
});

test.each([
  ['0a', 'name: ends in the middle of a value'],
  ['0a05', 'name: ends in the middle of a value'],
  ['0affffffffff7f', 'name: ends in the middle of a value'],
  ['0affffffffffffffffff01', 'name: ends in the middle of a value'],
  ['0a01ff', 'name: is text that is not UTF-8'],
  ['00', ': has a field number that cannot be'],
  ['ffffffffffffffffffff01', ': has a number of more than ten bytes'],
  ['ffffffff7f', ': has a field number that cannot be'],
  ['3080808080808080808080', 'lbPolicy: has a number of more than ten bytes'],
  ['0c', ': ends a group that it did not start'],
  ['0b14', ': ends a group that it did not start'],
  ['0b', ': ends in the middle of a value'],
  ['0f', ': has a value of the wire type 7, which does not exist'],
  ['220a08ffffffffffffffff7f', 'connectTimeout: 9223372036854776000 s and 0 ns are not a duration'],
])('%s: %s', (hex, said) => {
  expect(refused(CLUSTER, bytes(hex))).toBe(said);
});

test('what is nested too deep is refused', () => {
  // Field 1 of a Value is null_value, 5 struct_value, 6 list_value; a list's values are field 1.
  let deep: Uint8Array = bytes('0800');
  for (let i = 0; i < 5000; i++) deep = field(6, field(1, deep));
  expect(refused('google.protobuf.Value', deep)).toMatch(/is nested more than 100 deep$/);
  let predicate: Uint8Array = new Uint8Array();
  // envoy.config.rbac.v3.Permission.not_rule (8)
  for (let i = 0; i < 5000; i++) predicate = field(8, predicate);
  expect(refused('envoy.config.rbac.v3.Permission', predicate)).toMatch(
    /^(notRule\.){100}notRule: is nested more than 100 deep$/,
  );
  let any: Uint8Array = new Uint8Array();
  for (let i = 0; i < 300; i++) any = bytes(field(1, Buffer.from('x/google.protobuf.Any')), field(2, any));
  expect(refused('google.protobuf.Any', any)).toMatch(/is nested more than 100 deep$/);
  expect(refused(CLUSTER, new Uint8Array(10_000).fill(0x0b))).toBe(': is nested more than 100 deep');

  const loop: Record<string, unknown> = {};
  loop['notRule'] = loop;
  expect(() => encode('envoy.config.rbac.v3.Permission', loop)).toThrow('is nested more than 100 deep');
  const list: unknown[] = [];
  list.push(list);
  expect(() => encode('google.protobuf.ListValue', { value: list })).toThrow('is nested more than 100 deep');
  expect(() => encode(CLUSTER, { name: loop })).toThrow('name: an object is not a string');
});

test('what is too large is refused', () => {
  expect(refused(CLUSTER, new Uint8Array(MAX_BYTES + 1))).toBe(`: is larger than ${MAX_BYTES} bytes`);
});

test('a hostile Any', () => {
  expect(refused('google.protobuf.Any', bytes('1201ff'))).toBe(': is an Any without a type');
  expect(decode('google.protobuf.Any', bytes(field(1, Buffer.from('x/__proto__')), '120101'))).toEqual({
    '@type': 'x/__proto__',
    value: 'AQ==',
  });
  const extension = 'envoy.config.core.v3.TypedExtensionConfig';
  const half = field(2, field(1, Buffer.from('x/envoy.config.core.v3.Address')));
  expect(refused(extension, bytes(half, field(2, bytes('120100'))))).toBe(
    'typedConfig: is an Any given twice, and in parts',
  );
});
