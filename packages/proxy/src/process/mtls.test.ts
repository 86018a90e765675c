import { createServer as createHttpServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { testAuthority } from '../tls/testing/certificates.ts';
import {
  bootstrap,
  downstreamTls,
  hcm,
  listener,
  routeTo,
  staticCluster,
  tlsInspector,
  upstreamTls,
} from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const ca = testAuthority();
const other = testAuthority('elsewhere');
const CLIENT = 'spiffe://cluster.local/ns/a/sa/client';
const SERVER = 'spiffe://cluster.local/ns/a/sa/server';
const client = ca.issue('client', `URI:${CLIENT}`);
const server = ca.issue('server', `URI:${SERVER}`);
const rogue = other.issue('rogue', `URI:${CLIENT}`);

interface Answer {
  readonly status: number;
  readonly body: string;
}
function ask(port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode!, body }));
    }).on('error', reject);
  });
}

let application: Server;
let applicationPort = 0;
const running: { stop(): Promise<void> }[] = [];
const engines = { mizzen: startProxy, envoy: startEnvoy } as const;
type Engine = keyof typeof engines;

/** A server sidecar: mutual TLS for those who speak it, and a strict and a permissive port. */
async function startServer(engine: Engine): Promise<{ strict: number; permissive: number }> {
  const [strict, permissive] = [await freePort(), await freePort()];
  const chain = hcm([routeTo('app')], {
    forwardClientCertDetails: 'APPEND_FORWARD',
    setCurrentClientCertDetails: { uri: true },
  });
  const tls = downstreamTls(server, ca.rootFile, { alpn: ['istio-peer-exchange', 'h2', 'http/1.1'] });
  const mutual = {
    filterChainMatch: { transportProtocol: 'tls', applicationProtocols: ['istio'] },
    transportSocket: tls,
    filters: [chain],
  };
  const plain = { filterChainMatch: { transportProtocol: 'raw_buffer' }, filters: [chain] };
  running.push(
    await engines[engine](
      bootstrap(
        [
          listener(strict, [mutual], { listenerFilters: [tlsInspector] }),
          listener(permissive, [mutual, plain], { listenerFilters: [tlsInspector] }),
        ],
        [staticCluster('app', [applicationPort])],
      ),
    ),
  );
  return { strict, permissive };
}

/** A client sidecar with one route per way of dialling the server. */
async function startClient(engine: Engine, target: { strict: number; permissive: number }): Promise<number> {
  const port = await freePort();
  const dial = (identity: typeof client | undefined, san: string, more: object = {}): object => ({
    transportSocket: upstreamTls(identity, ca.rootFile, {
      alpn: ['istio'],
      sni: 'outbound_.80_._.app.a.svc.cluster.local',
      san,
      ...more,
    }),
  });
  const { strict, permissive } = target;
  const ways: Record<string, object> = {
    good: staticCluster('good', [strict], dial(client, SERVER)),
    modern: staticCluster(
      'modern',
      [strict],
      dial(client, SERVER, { params: { tlsMaximumProtocolVersion: 'TLSv1_3' } }),
    ),
    'wrong-san': staticCluster('wrong-san', [strict], dial(client, 'spiffe://cluster.local/ns/a/sa/impostor')),
    'no-certificate': staticCluster('no-certificate', [strict], dial(undefined, SERVER)),
    rogue: staticCluster('rogue', [strict], dial(rogue, SERVER)),
    'other-alpn': staticCluster('other-alpn', [strict], dial(client, SERVER, { alpn: ['h2'] })),
    'plain-strict': staticCluster('plain-strict', [strict]),
    'plain-permissive': staticCluster('plain-permissive', [permissive]),
    'tls-permissive': staticCluster('tls-permissive', [permissive], dial(client, SERVER)),
  };
  const routes = Object.keys(ways).map((name) => routeTo(name, `/${name}`));
  running.push(await engines[engine](bootstrap([listener(port, [{ filters: [hcm(routes)] }])], Object.values(ways))));
  return port;
}

beforeAll(async () => {
  application = createHttpServer((request, response) =>
    response.end(String(request.headers['x-forwarded-client-cert'] ?? 'none')),
  );
  await new Promise<void>((done) => application.listen(0, '127.0.0.1', done));
  applicationPort = (application.address() as AddressInfo).port;
});
afterAll(async () => {
  await Promise.all(running.map((proxy) => proxy.stop()));
  application.close();
});

describe.each([
  ['mizzen', 'mizzen'],
  ['envoy', 'mizzen'],
  ['mizzen', 'envoy'],
] as const)('client %s, server %s', (clientEngine, serverEngine) => {
  let port = 0;
  beforeAll(async () => {
    port = await startClient(clientEngine, await startServer(serverEngine));
  }, 30_000);

  test.each(['good', 'modern', 'tls-permissive'])('%s: the server knows the client by its certificate', async (way) => {
    const { status, body } = await ask(port, `/${way}`);
    expect(status).toBe(200);
    expect(body).toContain(`By=${SERVER};Hash=`);
    expect(body).toContain(`URI=${CLIENT}`);
  });

  test('plain text reaches a permissive port and no identity is claimed', async () => {
    expect(await ask(port, '/plain-permissive')).toEqual({ status: 200, body: 'none' });
  });

  test.each(['wrong-san', 'no-certificate', 'rogue', 'other-alpn', 'plain-strict'])('%s: refused', async (way) => {
    const { status, body } = await ask(port, `/${way}`);
    expect(status).toBe(503);
    expect(body).toContain('upstream connect error or disconnect/reset before headers');
  });
});
