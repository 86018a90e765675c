/** Resources that are given for a time only, beside real Envoy: they stay while heartbeats come, and go after them. */
import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { TypeUrl } from '@mizzen/xds';
import { afterEach, expect, test } from 'vitest';
import { fetchText } from '../../filter/testing/beside.ts';
import { hcm, listener, staticCluster } from '../../process/testing/bootstraps.ts';
import { startWithAdmin } from '../../process/testing/standalone.ts';
import { serveDiscovery } from './testing/discovery-server.ts';

const TYPE = 'type.googleapis.com/';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Serves one listener, with its time, and says for `beats` times that it stays. Both forms of the protocol. */
async function serve(resource: object, ttl: string, every: number, beats: number): Promise<number> {
  const server = await serveDiscovery(({ delta, say }) => {
    let nonce = 0;
    const send = (typeUrl: string, resources: readonly object[]): void => {
      const wrapped = delta
        ? { resources, systemVersionInfo: '1' }
        : {
            resources: resources.map((each) => ({ '@type': `${TYPE}envoy.service.discovery.v3.Resource`, ...each })),
            versionInfo: '1',
          };
      say({ typeUrl, nonce: `${++nonce}`, controlPlane: { identifier: 'who' }, ...wrapped });
    };
    const told = new Set<string>();
    return ({ typeUrl = '' }) => {
      if (told.has(typeUrl)) return;
      told.add(typeUrl);
      if (typeUrl !== TypeUrl.listener) return send(typeUrl, []);
      const named = { name: 'l', version: '1', ttl };
      send(typeUrl, [{ ...named, resource }]);
      void (async () => {
        for (let i = 0; i < beats; i++) {
          await wait(every);
          // In the state of the world, Envoy takes what comes without a resource for gone.
          send(typeUrl, [delta ? named : { ...named, resource }]);
        }
      })();
    };
  });
  closing.push(() => server.stop());
  return server.port;
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
