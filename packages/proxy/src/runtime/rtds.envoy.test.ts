/** Layers that management servers send, change and take away, beside real Envoy. */
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { startEnvoy } from '@mizzen/testkit';
import { TypeUrl, type types } from '@mizzen/xds';
import { decode, encode } from '@mizzen/xds/binary/index.ts';
import { afterEach, expect, test } from 'vitest';
import { fetchText } from '../filter/testing/beside.ts';
import { staticCluster } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';

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
async function serve(delta: boolean): Promise<Server> {
  const prefix = delta ? 'Delta' : '';
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
  });
  let asked: ((request: types.discovery.DiscoveryRequest) => void) | undefined;
  let open: ((stream: ServerHttp2Stream) => void) | undefined;
  const stream = new Promise<ServerHttp2Stream>((done) => (open = done));
  server.on('stream', (opened: ServerHttp2Stream) => {
    opened.on('error', () => undefined);
    opened.respond({ ':status': 200, 'content-type': 'application/grpc' });
    let bytes = Buffer.alloc(0);
    opened.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
        const end = 5 + bytes.readUInt32BE(1);
        const request = decode(`envoy.service.discovery.v3.${prefix}DiscoveryRequest`, bytes.subarray(5, end));
        bytes = bytes.subarray(end);
        open!(opened);
        asked?.(request as types.discovery.DiscoveryRequest);
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  let nonce = 0;
  return {
    port: (server.address() as { port: number }).port,
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
      const body = delta
        ? sent === undefined
          ? { removedResources: ['served'] }
          : { resources: [{ name, version: own, resource }] }
        : { versionInfo: own, resources: sent === undefined ? [] : [resource] };
      const message = encode(`envoy.service.discovery.v3.${prefix}DiscoveryResponse`, {
        typeUrl: TypeUrl.runtime,
        nonce: own,
        ...body,
      });
      const frame = Buffer.alloc(5 + message.length);
      frame.writeUInt32BE(message.length, 1);
      frame.set(message, 5);
      to.write(frame);
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
  const server = await serve(apiType === 'DELTA_GRPC');
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
