/** What a TLS server is offered by ALPN; a plain Envoy lacks this filter, so what Istio's does is written down here. */
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { freePort } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, listener, routeTo, staticCluster, upstreamTls } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { testAuthority } from '../tls/testing/certificates.ts';
import { ask, TYPE } from './testing/beside.ts';

const FILTERS = [
  {
    name: 'istio.alpn',
    typedConfig: {
      '@type': `${TYPE}istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig`,
      alpnOverride: [
        { alpnOverride: ['istio-http/1.0', 'istio', 'http/1.0'] },
        { upstreamProtocol: 'HTTP11', alpnOverride: ['istio-http/1.1', 'istio', 'http/1.1'] },
        { upstreamProtocol: 'HTTP2', alpnOverride: ['istio-h2', 'istio', 'h2'] },
      ],
    },
  },
  { name: 'router', typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` } },
];

const following = {
  typedExtensionProtocolOptions: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
      useDownstreamProtocolConfig: {},
    },
  },
};

test('the names follow from the protocol, unless the cluster says otherwise', { timeout: 60_000 }, async () => {
  const authority = testAuthority();
  const server = authority.issue('server', 'DNS:server.local');
  const offered: string[] = [];
  const upstream = createServer({
    cert: server.certificatePem,
    key: server.keyPem,
    ALPNCallback: ({ protocols }) => {
      offered.push(protocols.join(' '));
      return protocols[0];
    },
  });
  upstream.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
  });
  await new Promise<void>((done) => upstream.listen(0, '127.0.0.1', done));
  const { port: upstreamPort } = upstream.address() as AddressInfo;
  const tls = { transportSocket: upstreamTls(undefined, authority.rootFile, { alpn: ['istio'] }) };
  const own = { metadata: { filterMetadata: { istio: { alpn_override: 'false' } } } };
  const port = await freePort();
  const routes = ['own', 'following', 'fixed'].map((name) => routeTo(name, `/${name}`));
  const proxy = await startProxy(
    bootstrap(
      [
        listener(port, [
          {
            filters: [
              hcm(routes, {
                httpFilters: FILTERS,
                httpProtocolOptions: { acceptHttp10: true, defaultHostForHttp10: 'h' },
              }),
            ],
          },
        ]),
      ],
      [
        staticCluster('fixed', [upstreamPort], tls),
        staticCluster('following', [upstreamPort], { ...tls, ...following }),
        staticCluster('own', [upstreamPort], { ...tls, ...own }),
      ],
    ),
  );
  const get = async (path: string, version = '1.1'): Promise<string> => {
    const before = offered.length;
    const answer = await ask(port, `GET ${path} HTTP/${version}\r\nhost: h\r\nconnection: close\r\n\r\n`);
    expect(answer).toContain(' 200 OK\r\n');
    return offered.slice(before).join('; ') || 'the same connection';
  };
  try {
    expect([
      await get('/fixed'),
      await get('/fixed'),
      await get('/fixed', '1.0'),
      await get('/following'),
      await get('/following', '1.0'),
      await get('/own'),
    ]).toEqual([
      'istio-http/1.1 istio http/1.1',
      'the same connection',
      'the same connection',
      'istio-http/1.1 istio http/1.1',
      'istio-http/1.0 istio http/1.0',
      'istio',
    ]);
  } finally {
    await proxy.stop();
    await new Promise((done) => upstream.close(done));
  }
});
