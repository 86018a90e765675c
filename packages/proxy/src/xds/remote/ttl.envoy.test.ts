/** Resources that are given for a time only, beside real Envoy: they stay while heartbeats come, and go after them. */
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { decode, encode } from '@mizzen/xds/binary/index.ts';
import { TypeUrl, type types } from '@mizzen/xds';
import { afterEach, expect, test } from 'vitest';
import { fetchText } from '../../filter/testing/beside.ts';
import { hcm, listener, staticCluster } from '../../process/testing/bootstraps.ts';
import { startWithAdmin } from '../../process/testing/standalone.ts';

const TYPE = 'type.googleapis.com/';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Serves one listener, with its time, and says for `beats` times that it stays. Both forms of the protocol. */
async function serve(resource: object, ttl: string, every: number, beats: number): Promise<number> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const delta = String(headers[':path']).endsWith('/DeltaAggregatedResources');
    const message = delta ? 'Delta' : '';
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    let nonce = 0;
    const say = (typeUrl: string, resources: readonly object[]): void => {
      const wrapped = delta
        ? { resources, systemVersionInfo: '1' }
        : {
            resources: resources.map((each) => ({ '@type': `${TYPE}envoy.service.discovery.v3.Resource`, ...each })),
            versionInfo: '1',
          };
      const body = encode(`envoy.service.discovery.v3.${message}DiscoveryResponse`, {
        typeUrl,
        nonce: `${++nonce}`,
        controlPlane: { identifier: 'who' },
        ...wrapped,
      });
      const frame = Buffer.alloc(5 + body.length);
      frame.writeUInt32BE(body.length, 1);
      frame.set(body, 5);
      if (!stream.destroyed) stream.write(frame);
    };
    const told = new Set<string>();
    let bytes = Buffer.alloc(0);
    stream.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
        const size = bytes.readUInt32BE(1);
        const asked = decode(`envoy.service.discovery.v3.${message}DiscoveryRequest`, bytes.subarray(5, 5 + size));
        bytes = bytes.subarray(5 + size);
        const { typeUrl = '' } = asked as types.discovery.DiscoveryRequest;
        if (told.has(typeUrl)) continue;
        told.add(typeUrl);
        if (typeUrl !== TypeUrl.listener) say(typeUrl, []);
        else {
          const named = { name: 'l', version: '1', ttl };
          say(typeUrl, [{ ...named, resource }]);
          void (async () => {
            for (let i = 0; i < beats; i++) {
              await wait(every);
              // In the state of the world, Envoy takes what comes without a resource for gone.
              say(typeUrl, [delta ? named : { ...named, resource }]);
            }
          })();
        }
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function answers(port: number): Promise<number | 'refused'> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path: '/', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', () => resolve('refused'));
    sent.end();
  });
}

test.each(['GRPC', 'DELTA_GRPC'].flatMap((apiType) => ['Envoy', 'Mizzen'].map((engine) => [apiType, engine] as const)))(
  '%s: %s',
  { timeout: 40_000 },
  async (apiType, engine) => {
    const port = await freePort();
    const direct = { match: { prefix: '/' }, directResponse: { status: 200 } };
    const resource = {
      '@type': TypeUrl.listener,
      ...listener(port, [{ filters: [hcm([direct])] }]),
      name: 'l',
    };
    const xds = await serve(resource, '2s', 1000, 4);
    const options = {
      typedExtensionProtocolOptions: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
          explicitHttpConfig: { http2ProtocolOptions: {} },
        },
      },
    };
    const ads = { ads: {}, resourceApiVersion: 'V3' };
    const config = {
      node: { id: 'n', cluster: 'c' },
      dynamicResources: {
        adsConfig: { apiType, transportApiVersion: 'V3', grpcServices: [{ envoyGrpc: { clusterName: 'xds' } }] },
        cdsConfig: ads,
        ldsConfig: ads,
      },
      staticResources: { clusters: [staticCluster('xds', [xds], options)] },
    };
    const running = engine === 'Envoy' ? await startEnvoy(config) : await startWithAdmin(config);
    const admin = 'admin' in running ? running.admin : running.adminPort;
    closing.push(() => running.stop());
    const began = Date.now();
    await expect.poll(() => answers(port), { timeout: 5000 }).toBe(200);
    expect(await fetchText(admin, '/stats?filter=%5Econtrol_plane')).toBe(
      'control_plane.identifier: "who"\ncontrol_plane.connected_state: 1\ncontrol_plane.pending_requests: 0\ncontrol_plane.rate_limit_enforced: 0\n',
    );
    // Longer than its time: heartbeats keep it.
    await wait(Math.max(0, 3500 - (Date.now() - began)));
    expect(await answers(port)).toBe(200);
    await expect.poll(() => answers(port), { timeout: 15_000, interval: 200 }).toBe('refused');
    expect(Date.now() - began).toBeGreaterThan(4000);
  },
);
