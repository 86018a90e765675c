import { expect, test } from 'vitest';
import { decode, encode, EncodedAny, XdsCodecError } from './index.ts';

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What encoding says is wrong. */
function refused(type: string, value: object): string {
  try {
    encode(type, value);
  } catch (error) {
    if (error instanceof XdsCodecError) return `${error.path}: ${error.problem}`;
    throw error;
  }
  throw new Error('was encoded');
}

test('a message as protobuf writes it', () => {
  // Field 1 (name) "a"; field 4 (connect_timeout) seconds 1, nanos 500000000.
  const bytes = encode(CLUSTER, { name: 'a', connectTimeout: '1.5s' });
  expect(hex(bytes)).toBe('0a0161' + '2208' + '0801' + '1080cab5ee01');
  expect(decode(CLUSTER, bytes)).toEqual({ name: 'a', connectTimeout: '1.500s' });
});

test('names as in the .proto file', () => {
  const camel = { name: 'a', connectTimeout: '1s', commonLbConfig: { healthyPanicThreshold: { value: 3 } } };
  const snake = { name: 'a', connect_timeout: '1s', common_lb_config: { healthy_panic_threshold: { value: 3 } } };
  expect(encode(CLUSTER, snake)).toEqual(encode(CLUSTER, camel));
  expect(encode(CLUSTER, { outlier_detection: { consecutive_5xx: 7 } })).toEqual(
    encode(CLUSTER, { outlierDetection: { consecutive5xx: 7 } }),
  );
  expect(refused(CLUSTER, { connectTimeout: '1s', connect_timeout: '1s' })).toBe(
    'connectTimeout: is given twice, also as `connect_timeout`',
  );
});

test('a message that is encoded already stands for an Any', () => {
  const type = `type.googleapis.com/${CLUSTER}`;
  const response = 'envoy.service.discovery.v3.DiscoveryResponse';
  const whole = encode(response, { resources: [{ '@type': type, name: 'a' }], typeUrl: type });
  const parts = encode(response, {
    resources: [new EncodedAny(type, encode(CLUSTER, { name: 'a' }))],
    typeUrl: type,
  });
  expect(parts).toEqual(whole);
});

test('a mistake is told with its place', () => {
  expect(refused(CLUSTER, { name: 3 })).toBe('name: `3` is not a string');
  expect(refused(CLUSTER, { lbPolicy: 'FAIR' })).toBe(
    'lbPolicy: envoy.config.cluster.v3.Cluster.LbPolicy has no value `FAIR`',
  );
  const filter = { name: 'x', typedConfig: { '@type': 'type.googleapis.com/nobody.Knows' } };
  expect(refused('envoy.config.listener.v3.Listener', { filterChains: [{}, { filters: [filter] }] })).toBe(
    'filterChains[1].filters[0].typedConfig: the type `type.googleapis.com/nobody.Knows` is not known',
  );
  expect(refused(CLUSTER, { metadata: { filterMetadata: { 'a.b': { c: [1, { d: undefined, e: NaN }] } } } })).toBe(
    'metadata.filterMetadata["a.b"]["c"][1]["e"]: NaN has no form in JSON',
  );
  expect(refused('nobody.Knows', {})).toBe(': the type is not known');
});

test('a message that ends early is told with its place', () => {
  const bytes = encode(CLUSTER, { name: 'a', loadAssignment: { endpoints: [{ locality: { region: 'r' } }] } });
  for (let size = 1; size < bytes.length; size++) {
    if (size === 3) continue; // There a field ends.
    expect(() => decode(CLUSTER, bytes.subarray(0, size))).toThrow(XdsCodecError);
  }
  expect(() => decode(CLUSTER, Buffer.from('0aff', 'hex'))).toThrow('name: ends in the middle of a value');
});
