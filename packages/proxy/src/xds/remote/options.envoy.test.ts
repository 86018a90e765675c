/** What requests to management servers say of the proxy, and how long responses may be, beside real Envoy. */
import { startEnvoy, until } from '@mizzen/testkit';
import { TypeUrl } from '@mizzen/xds';
import { afterEach, expect, test } from 'vitest';
import { fetchText, HTTP2 } from '../../filter/testing/beside.ts';
import { staticCluster } from '../../process/testing/bootstraps.ts';
import { startWithAdmin } from '../../process/testing/standalone.ts';
import { serveDiscovery } from './testing/discovery-server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Asked {
  /** Of the first stream: type, and which proxy asks. */
  readonly requests: string[];
  streams: number;
  /** Of the first stream. */
  fields: readonly (readonly [string, unknown])[];
  readonly port: number;
}

/** Answers what is asked for first with clusters whose names are as long as that, and then with one whose name is short. */
async function serve(length: number): Promise<Asked> {
  const asked: Omit<Asked, 'port'> = { requests: [], streams: 0, fields: [] };
  const server = await serveDiscovery(({ headers, say }) => {
    const first = ++asked.streams === 1;
    if (first) asked.fields = Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1));
    let nonce = 0;
    return ({ typeUrl = '', node }) => {
      if (first) asked.requests.push(`${typeUrl.split('.').at(-1)!} ${node?.id ?? '-'}`);
      if (nonce++ > 1) return;
      const name = nonce === 1 ? 'c'.repeat(length) : 'short';
      const resources =
        typeUrl === TypeUrl.cluster ? [{ '@type': typeUrl, name, loadAssignment: { clusterName: name } }] : [];
      say({ typeUrl, nonce: String(nonce), versionInfo: String(nonce), resources });
    };
  });
  closing.push(() => server.stop());
  return Object.assign(asked, { port: server.port });
}

const METADATA = [
  { key: 'X-Twice', value: '1' },
  { key: 'x-twice', value: '2' },
  { key: 'x-written', value: '%HOSTNAME%%%' },
  { key: 'x-empty', value: '' },
  { key: 'x-some-bin', value: 'v' },
];

async function observe(engine: 'Envoy' | 'Mizzen', api: object, grpc: object, length: number): Promise<object> {
  const asked = await serve(length);
  const config = {
    node: { id: 'n', cluster: 'c' },
    staticResources: { clusters: [staticCluster('xds', [asked.port], HTTP2)] },
    dynamicResources: {
      cdsConfig: {
        resourceApiVersion: 'V3',
        initialFetchTimeout: '1s',
        apiConfigSource: {
          apiType: 'GRPC',
          transportApiVersion: 'V3',
          grpcServices: [{ envoyGrpc: { clusterName: 'xds', ...grpc }, initialMetadata: METADATA }],
          ...api,
        },
      },
    },
  };
  const proxy =
    engine === 'Envoy'
      ? await startEnvoy(config).then((envoy) => ({ ...envoy, admin: envoy.adminPort }))
      : await startWithAdmin(config);
  closing.push(() => proxy.stop());
  // The third says that what came second has been taken.
  await until('three requests, or another stream', () => asked.requests.length > 2 || asked.streams > 1);
  const stats = await fetchText(
    proxy.admin,
    '/stats?filter=^cluster_manager.(cds.update_(success|rejected)|cluster_added)$',
  );
  return {
    requests: asked.requests.slice(0, 3),
    fields: asked.fields,
    again: asked.streams > 1,
    stats: stats.split('\n').map((line) => line.replace(/(cds.update_success): [1-9]\d*/, '$1: some')),
  };
}

test.each([
  ['every request says who asks', {}, {}, 10],
  ['only what is configured says who it is', {}, { skipEnvoyHeaders: true, authority: 'them' }, 10],
  ['the first request says who asks', { setNodeOnFirstMessageOnly: true }, {}, 10],
  ['responses may be as long as they are', {}, {}, 20_000],
  ['a response is too long', {}, { maxReceiveMessageLength: 5000 }, 20_000],
  ['responses are not too long', {}, { maxReceiveMessageLength: 5000 }, 1000],
] as const)('%s', { timeout: 40_000 }, async (_, api, grpc, length) => {
  const theirs = await observe('Envoy', api, grpc, length);
  expect(await observe('Mizzen', api, grpc, length)).toEqual(theirs);
});
