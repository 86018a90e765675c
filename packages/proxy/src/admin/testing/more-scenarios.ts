import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { TYPE } from '../../filter/testing/beside.ts';
import {
  bootstrap,
  downstreamTls,
  hcm,
  listener,
  routeTo,
  staticCluster,
  tlsInspector,
  upstreamTls,
} from '../../process/testing/bootstraps.ts';
import { testAuthority } from '../../tls/testing/certificates.ts';
import type { Scenario } from './stats-beside.ts';

const authority = testAuthority();
const [a, b, c] = ['a', 'b', 'c'].map((name) => authority.issue(name, `URI:spiffe://cluster.local/ns/${name}/sa/a`));
const TLS = `${TYPE}envoy.extensions.transport_sockets.tls.v3`;

const get = (path: string, ...fields: string[]): string =>
  `GET ${path} HTTP/1.1\r\nhost: a.test\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;

/** Without fields whose length depends on how long something took. */
const ROUTER = {
  name: 'envoy.filters.http.router',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router`, suppressEnvoyHeaders: true },
};

export const HASHES: Scenario = {
  name: 'rings and tables of hashes',
  config: (port, up, closed) =>
    bootstrap(
      [listener(port, [{ filters: [hcm([routeTo('ring')], { httpFilters: [ROUTER] })] }])],
      [
        staticCluster('ring', [up], { lbPolicy: 'RING_HASH' }),
        staticCluster('small', [up, closed, 1], {
          lbPolicy: 'RING_HASH',
          ringHashLbConfig: { minimumRingSize: 10, maximumRingSize: 20 },
        }),
        staticCluster('nobody', [], { lbPolicy: 'RING_HASH' }),
        staticCluster('table', [up, closed, 1], { lbPolicy: 'MAGLEV' }),
        staticCluster('seven', [up, closed, 1], { lbPolicy: 'MAGLEV', maglevLbConfig: { tableSize: 7 } }),
        staticCluster('nobody-there', [], { lbPolicy: 'MAGLEV' }),
      ],
    ),
  asks: [get('/')],
};

export const AUTHORIZATION: Scenario = {
  name: 'external authorization',
  config: (port, up, closed) => {
    const authz = (cluster: string, to: number, more: object): object => ({
      name: 'envoy.filters.http.ext_authz',
      typedConfig: {
        '@type': `${TYPE}envoy.extensions.filters.http.ext_authz.v3.ExtAuthz`,
        httpService: {
          serverUri: { uri: `http://127.0.0.1:${to}`, cluster, timeout: '0.3s' },
          // Without the time that the answer took, as above.
          authorizationResponse: { allowedClientHeaders: { patterns: [{ exact: 'content-length' }] } },
        },
        allowedHeaders: { patterns: [{ exact: 'x-answer' }] },
        ...more,
      },
    });
    const off = {
      'envoy.filters.http.ext_authz': {
        '@type': `${TYPE}envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute`,
        disabled: true,
      },
    };
    const filters = [
      authz('authz', up, {}),
      authz('closed', closed, { statPrefix: 'named', failureModeAllow: true, chargeClusterResponseStats: false }),
      ROUTER,
    ];
    const routes = [{ ...routeTo('up', '/off'), typedPerFilterConfig: off }, routeTo('up')];
    return bootstrap(
      [listener(port, [{ filters: [hcm(routes, { httpFilters: filters })] }])],
      [staticCluster('up', [up]), staticCluster('authz', [up]), staticCluster('closed', [closed])],
    );
  },
  asks: [get('/'), get('/', 'x-answer: 403'), get('/', 'x-answer: 401'), get('/', 'x-answer: 503'), get('/off')],
};

/** One for each start, where the inner listener is. */
const inners: number[] = [];

export const SECRETS: Scenario = {
  name: 'secrets and handshakes',
  config: (port, up, inner) => {
    inners.push(inner);
    const folder = mkdtempSync(join(tmpdir(), 'mizzen-secrets-'));
    const sds = (name: string, body: object): object => {
      const path = join(folder, `${name}.json`);
      const resources = [{ '@type': `${TLS}.Secret`, name, ...body }];
      writeFileSync(path, JSON.stringify({ versionInfo: '1', resources }));
      return { name, sdsConfig: { resourceApiVersion: 'V3', pathConfigSource: { path } } };
    };
    const pair = { certificateChain: { filename: c!.certificateFile }, privateKey: { filename: c!.keyFile } };
    const commonTlsContext = {
      tlsCertificateSdsSecretConfigs: [sds('cert', { tlsCertificate: pair })],
      validationContextSdsSecretConfig: sds('ca', {
        validationContext: { trustedCa: { filename: authority.rootFile } },
      }),
    };
    const of = (side: 'Upstream' | 'Downstream', more: object): object => ({
      name: 'envoy.transport_sockets.tls',
      typedConfig: { '@type': `${TLS}.${side}TlsContext`, ...more },
    });
    const filters = [hcm([routeTo('up')], { statPrefix: 'inner', httpFilters: [ROUTER] })];
    const chains = [
      {
        filterChainMatch: { serverNames: ['x'] },
        transportSocket: downstreamTls(a!, authority.rootFile),
        filters,
      },
      { transportSocket: of('Downstream', { commonTlsContext }), filters },
    ];
    const routes = [routeTo('by-secrets', '/secrets'), routeTo('static')];
    return {
      node: { id: 'n', cluster: 'c' },
      ...bootstrap(
        [
          listener(port, [{ filters: [hcm(routes, { httpFilters: [ROUTER] })] }]),
          listener(inner, chains, { statPrefix: 'inner', listenerFilters: [tlsInspector] }),
        ],
        [
          staticCluster('up', [up]),
          staticCluster('bare', [inner], { transportSocket: of('Upstream', {}) }),
          staticCluster('static', [inner], { transportSocket: upstreamTls(b!, authority.rootFile) }),
          staticCluster('by-secrets', [inner], { transportSocket: of('Upstream', { commonTlsContext }) }),
        ],
      ),
    };
  },
  asks: [get('/'), get('/secrets'), get('/secrets')],
  drive: () =>
    new Promise<void>((done) => {
      const { certificatePem: cert, keyPem: key } = b!;
      const options = { port: inners.at(-1)!, host: '127.0.0.1', servername: 'a.name', ALPNProtocols: ['http/1.1'] };
      const socket = connect({ ...options, cert, key, rejectUnauthorized: false }, () =>
        socket.write(get('/', 'connection: close')),
      );
      socket.on('error', () => undefined);
      socket.on('data', () => undefined);
      socket.on('close', () => done());
    }),
};
