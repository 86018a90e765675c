import { encode } from '@mizzen/xds/binary/index.ts';
import { TypeUrl } from '@mizzen/xds';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readNode } from './node.ts';
import { readIncrementalRequest, readWorldRequest } from './requests.ts';
import { WireError } from './wire.ts';

const node = { id: 'sidecar~10.0.0.1~a.b~c', cluster: 'a', metadata: { LABELS: { app: 'a' }, N: [1, true, null] } };
const status = { code: 3, message: 'no' };
const world = Buffer.from(
  encode('envoy.service.discovery.v3.DiscoveryRequest', {
    versionInfo: '1',
    node,
    resourceNames: ['a', 'b'],
    typeUrl: TypeUrl.endpoint,
    responseNonce: '2',
    errorDetail: status,
  }),
);
const incremental = Buffer.from(
  encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
    node,
    typeUrl: TypeUrl.endpoint,
    resourceNamesSubscribe: ['a'],
    resourceNamesUnsubscribe: ['b'],
    initialResourceVersions: { c: '1', d: '2' },
    responseNonce: '2',
    errorDetail: status,
  }),
);

test('requests are read as the codec writes them', () => {
  expect(readWorldRequest(world)).toMatchObject({
    versionInfo: '1',
    names: ['a', 'b'],
    typeUrl: TypeUrl.endpoint,
    nonce: '2',
    error: 'no',
  });
  expect(readIncrementalRequest(incremental)).toMatchObject({
    subscribe: ['a'],
    unsubscribe: ['b'],
    initialVersions: { c: '1', d: '2' },
    nonce: '2',
    error: 'no',
  });
  expect(readNode(readWorldRequest(world).node!)).toMatchObject({ ...node, locality: {}, version: '' });
});

/** A request with some of its bytes changed, left out or put in. */
function mutated(message: Buffer): fc.Arbitrary<Buffer> {
  const change = fc.record({
    at: fc.nat(message.length - 1),
    remove: fc.nat(4),
    insert: fc.uint8Array({ maxLength: 4 }),
  });
  return fc
    .array(change, { minLength: 1, maxLength: 6 })
    .map((changes) =>
      changes.reduce(
        (bytes, { at, remove, insert }) => Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]),
        message,
      ),
    );
}

test('whatever bytes come, they are read or refused', () => {
  const any = fc.oneof(
    mutated(world),
    mutated(incremental),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(any, (bytes) => {
      for (const read of [readWorldRequest, readIncrementalRequest]) {
        try {
          const { node: described } = read(bytes);
          if (described !== undefined) readNode(described);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }
    }),
    { numRuns: 3000 },
  );
});
