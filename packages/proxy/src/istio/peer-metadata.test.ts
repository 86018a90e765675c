/** The exchange of metadata in fields, as Istio's filter has it. */
import { expect, test } from 'vitest';
import type { types } from '@mizzen/xds';
import type { FilterScope } from '../filter/scope.ts';
import { Headers } from '../http/headers.ts';
import { CompileContext } from '../program/context.ts';
import { testDeps } from '../program/testing/deps.ts';
import type { HttpStream } from '../types.ts';
import { DOWNSTREAM_PEER, peerOf, toMetadata, UPSTREAM_PEER, type WorkloadPeer } from './peer.ts';
import { PEER_ID, PEER_METADATA } from './peer-headers.ts';
import { peerMetadataFilter } from './peer-metadata.ts';
import { encodeStruct } from './struct.ts';

const READS = [{ istioHeaders: {} }];
const BOTH_WAYS: types.peerMetadata.Config = {
  downstreamDiscovery: READS,
  upstreamDiscovery: READS,
  downstreamPropagation: READS,
  upstreamPropagation: READS,
};
const LABELS = { app: 'books', role: 'tester', tier: 'one' };
const said = (name: string, labels: readonly string[] = []): string =>
  encodeStruct(toMetadata(peerOf({ NAME: name, WORKLOAD_NAME: name, LABELS }, labels))).toString('base64');

/** What a filter makes of a request and its response that have such fields. */
function pass(
  config: types.peerMetadata.Config,
  request: readonly string[],
  response: readonly string[],
  cluster: { readonly name: string; readonly istio?: object } = { name: 'books' },
): {
  readonly asked: Headers;
  readonly answered: Headers;
  readonly peer: (key: string) => WorkloadPeer | undefined;
} {
  const context = new CompileContext('', '', {
    ...testDeps,
    nodeId: 'me',
    nodeMetadata: { NAME: 'me', WORKLOAD_NAME: 'me', LABELS },
    clusterMetadata: (name) =>
      name === cluster.name && cluster.istio !== undefined
        ? { istio: cluster.istio as Record<string, never> }
        : undefined,
  });
  const filter = peerMetadataFilter(context, config, { name: 'f' } as FilterScope, []);
  expect(context.nacks).toEqual([]);
  const stream = {
    request: { headers: new Headers([...request]) },
    response: { headers: new Headers([...response]) },
    info: { connection: {} },
    route: () => ({ kind: 'cluster', cluster: cluster.name }),
  } as unknown as HttpStream;
  void filter.onRequest!(stream);
  void filter.onResponse!(stream);
  return {
    asked: stream.request.headers,
    answered: stream.response!.headers,
    peer: (key) => stream.info.filterState?.get(key) as WorkloadPeer | undefined,
  };
}

const FROM_A = [PEER_ID, 'a', PEER_METADATA, said('a')];
const FROM_B = [PEER_ID, 'b', PEER_METADATA, said('b')];

test('both sides are known and told, and what each said goes no further', () => {
  const { asked, answered, peer } = pass(BOTH_WAYS, FROM_A, FROM_B);
  expect([peer(DOWNSTREAM_PEER)?.is.name, peer(UPSTREAM_PEER)?.is.name]).toEqual(['a', 'b']);
  expect([...asked.flat]).toEqual([PEER_ID, 'me', PEER_METADATA, said('me')]);
  expect([...answered.flat]).toEqual([PEER_ID, 'me', PEER_METADATA, said('me')]);
});

test('clients are told only what they told themselves, and nothing where nobody listens to them', () => {
  expect(pass(BOTH_WAYS, [], FROM_B).answered.flat).toEqual([]);
  expect(pass(BOTH_WAYS, [PEER_ID, 'a'], []).answered.flat).toEqual([PEER_ID, 'me']);
  expect(pass(BOTH_WAYS, [PEER_METADATA, said('a')], []).answered.flat).toEqual([PEER_METADATA, said('me')]);
  expect(pass({ downstreamPropagation: READS }, FROM_A, []).answered.flat).toEqual([]);
});

test('a side that is not listened to keeps its fields, and a side that is not told gets none', () => {
  const { asked, answered, peer } = pass({ upstreamDiscovery: READS }, FROM_A, FROM_B);
  expect([peer(DOWNSTREAM_PEER), peer(UPSTREAM_PEER)?.is.name]).toEqual([undefined, 'b']);
  expect([[...asked.flat], [...answered.flat]]).toEqual([FROM_A, []]);
});

test('labels beyond the usual ones are told and heard where they are named', () => {
  const config = { ...BOTH_WAYS, additionalLabels: ['role'] };
  const labelled = [PEER_ID, 'c', PEER_METADATA, said('c', ['role', 'tier'])];
  const { asked, peer } = pass(config, labelled, []);
  expect(asked.get(PEER_METADATA)).toBe(said('me', ['role']));
  expect(peer(DOWNSTREAM_PEER)?.is.labels).toEqual([['role', 'tester']]);
  expect(pass(BOTH_WAYS, labelled, []).peer(DOWNSTREAM_PEER)?.is.labels).toEqual([]);
});

test.each([
  ['a host of the mesh', { name: 'books' }, true],
  ['a host outside the mesh', { name: 'books', istio: { external: true } }, false],
  ['what is passed through', { name: 'PassthroughCluster' }, false],
  ['a host that wants none of it', { name: 'books', istio: { disable_mx: true } }, false],
] as const)('with `skipExternalClusters`, %s', (_, cluster, told) => {
  const skipping = { upstreamPropagation: [{ istioHeaders: { skipExternalClusters: true } }] };
  expect(pass(skipping, [], [], cluster).asked.has(PEER_ID)).toBe(told);
  const always = pass({ upstreamPropagation: READS }, [], [], cluster).asked.has(PEER_ID);
  expect(always).toBe(!('istio' in cluster && 'disable_mx' in cluster.istio));
});
