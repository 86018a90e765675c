/** Layers that management servers send, change and take away, beside real Envoy. */
import { startEnvoy } from '@mizzen/testkit';
import { TypeUrl } from '@mizzen/xds';
import { afterEach, expect, test } from 'vitest';
import { fetchText } from '../filter/testing/beside.ts';
import { staticCluster } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';
import { serveDiscovery, type DiscoveryRequest, type DiscoveryStream } from '../xds/remote/testing/discovery-server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** What a response holds; undefined: that the resource is gone, or nothing. */
type Sent = { readonly name?: string; readonly layer: object } | undefined;

interface Server {
  readonly port: number;
  /** Sends a response, and says whether it was taken. */
  say(sent: Sent): Promise<'taken' | 'refused'>;
}

/** Serves the runtime to one client, which begins with the first of what is said. */
async function serve(): Promise<Server> {
  let asked: ((request: DiscoveryRequest) => void) | undefined;
  let open: ((stream: DiscoveryStream) => void) | undefined;
  const stream = new Promise<DiscoveryStream>((done) => (open = done));
  const server = await serveDiscovery((opened) => (request) => {
    open!(opened);
    asked?.(request);
  });
  closing.push(() => server.stop());
  let nonce = 0;
  return {
    port: server.port,
    async say(sent) {
      const to = await stream;
      const own = `${++nonce}`;
      const answered = new Promise<'taken' | 'refused'>((done) => {
        asked = ({ responseNonce, errorDetail }) => {
          if (responseNonce === own) done(errorDetail === undefined ? 'taken' : 'refused');
        };
      });
      const { name = 'served', layer } = sent ?? {};
      const resource = { '@type': TypeUrl.runtime, name, layer };
      const body = to.delta
        ? sent === undefined
          ? { removedResources: ['served'] }
          : { resources: [{ name, version: own, resource }] }
        : { versionInfo: own, resources: sent === undefined ? [] : [resource] };
      to.say({ typeUrl: TypeUrl.runtime, nonce: own, ...body });
      return answered;
    },
  };
}

const STEPS: readonly Sent[] = [
  { layer: { a: 1, b: { c: 2 } } },
  undefined,
  { layer: { a: 2 } },
  { layer: { a: 3 } },
  undefined,
  undefined,
  { layer: {} },
  { layer: { a: null } },
  { layer: { a: 5 } },
  { name: 'other', layer: { a: 6 } },
  { layer: { d: 'text' } },
];

async function observe(apiType: string, engine: string): Promise<unknown[]> {
  const server = await serve();
  const http2 = {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicitHttpConfig: { http2ProtocolOptions: {} },
  };
  const options = {
    typedExtensionProtocolOptions: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': http2 },
  };
  const rtdsConfig = {
    resourceApiVersion: 'V3',
    apiConfigSource: { apiType, transportApiVersion: 'V3', grpcServices: [{ envoyGrpc: { clusterName: 'xds' } }] },
  };
  const config = {
    node: { id: 'node', cluster: 'c' },
    staticResources: { clusters: [staticCluster('xds', [server.port], options)] },
    layeredRuntime: {
      layers: [
        { name: 'base', staticLayer: { a: 0 } },
        { name: 'server', rtdsLayer: { name: 'served', rtdsConfig } },
        { name: 'hand', adminLayer: {} },
      ],
    },
  };
  const begun = server.say(STEPS[0]);
  const running = engine === 'Envoy' ? await startEnvoy(config) : await startWithAdmin(config);
  closing.push(() => running.stop());
  const admin = 'admin' in running ? running.admin : running.adminPort;
  const seen: unknown[] = [];
  for (const [i, step] of STEPS.entries()) {
    const verdict = await (i === 0 ? begun : server.say(step));
    const counted = await fetchText(admin, '/stats?filter=%5Eruntime.(load|num)_');
    seen.push({ verdict, runtime: JSON.parse(await fetchText(admin, '/runtime')), counted });
  }
  return seen;
}

test.each(['GRPC', 'DELTA_GRPC'])('%s: what is taken away is gone', { timeout: 60_000 }, async (apiType) => {
  const theirs = await observe(apiType, 'Envoy');
  expect(await observe(apiType, 'Mizzen')).toEqual(theirs);
});
