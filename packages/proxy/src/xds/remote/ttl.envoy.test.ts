/** Resources that are given for a time only, beside real Envoy: they stay while heartbeats come, and go after them. */
import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { TypeUrl } from '@mizzen/xds';
import { test, type TestContext } from 'vitest';
import { fetchText } from '../../filter/testing/beside.ts';
import { hcm, listener, staticCluster } from '../../process/testing/bootstraps.ts';
import { startWithAdmin } from '../../process/testing/standalone.ts';
import { serveDiscovery } from './testing/discovery-server.ts';

const TYPE = 'type.googleapis.com/';
/** Far more than there is between two heartbeats, however busy the machine. */
const TTL_MS = 4000;
const BEAT_MS = 500;

interface Heart {
  readonly port: number;
  /** How often it was said that the resource stays. */
  beats(): number;
  /** Stops it; resolves with when it was said last. */
  stop(): number;
}

/** Serves one listener, with its time, and says again and again that it stays. Both forms of the protocol. */
async function serve(resource: object, { onTestFinished }: TestContext): Promise<Heart> {
  let [beats, last, over] = [0, 0, false];
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
      const named = { name: 'l', version: '1', ttl: `${TTL_MS / 1000}s` };
      send(typeUrl, [{ ...named, resource }]);
      void (async () => {
        for (;;) {
          await wait(BEAT_MS);
          if (over) return;
          // In the state of the world, Envoy takes what comes without a resource for gone.
          send(typeUrl, [delta ? named : { ...named, resource }]);
          beats++;
          last = performance.now();
        }
      })();
    };
  });
  onTestFinished(() => {
    over = true;
    return server.stop();
  });
  return {
    port: server.port,
    beats: () => beats,
    stop: () => {
      over = true;
      return last;
    },
  };
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

// At the same time, for they wait.
test.concurrent.for(
  ['GRPC', 'DELTA_GRPC'].flatMap((apiType) => ['Envoy', 'Mizzen'].map((engine) => [apiType, engine] as const)),
)('%s: %s', async ([apiType, engine], context) => {
  const { expect, onTestFinished } = context;
  const port = await freePort();
  const direct = { match: { prefix: '/' }, directResponse: { status: 200 } };
  const resource = {
    '@type': TypeUrl.listener,
    ...listener(port, [{ filters: [hcm([direct])] }]),
    name: 'l',
  };
  const heart = await serve(resource, context);
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
    staticResources: { clusters: [staticCluster('xds', [heart.port], options)] },
  };
  const running = engine === 'Envoy' ? await startEnvoy(config) : await startWithAdmin(config);
  const admin = 'admin' in running ? running.admin : running.adminPort;
  onTestFinished(() => running.stop());
  await expect.poll(() => answers(port)).toBe(200);
  const before = heart.beats();
  expect(await fetchText(admin, '/stats?filter=%5Econtrol_plane')).toBe(
    'control_plane.identifier: "who"\ncontrol_plane.connected_state: 1\ncontrol_plane.pending_requests: 0\ncontrol_plane.rate_limit_enforced: 0\n',
  );
  // Longer than its time: heartbeats keep it.
  await expect.poll(() => heart.beats()).toBeGreaterThan(before + (TTL_MS + 1000) / BEAT_MS);
  expect(await answers(port)).toBe(200);
  const last = heart.stop();
  await expect.poll(() => answers(port), { interval: 200 }).toBe('refused');
  expect(performance.now() - last).toBeGreaterThan(TTL_MS - 100);
});
