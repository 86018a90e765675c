/** The access log of a listener is compared with the real Envoy's, line by line. */
import { createServer, connect, type AddressInfo, type Server } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { statsWhenQuiet } from '../filter/testing/beside.ts';
import {
  bootstrap,
  downstreamTls,
  hcm,
  listener,
  routeTo,
  staticCluster,
  stdoutLog,
  tcpProxy,
  tlsInspector,
} from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';
import { testAuthority } from '../tls/testing/certificates.ts';

const ca = testAuthority();
const server = ca.issue('server', 'DNS:a.com');
const tls = downstreamTls(server, ca.rootFile, { requireClient: false });
const mutual = downstreamTls(server, ca.rootFile, { requireClient: true });

const LOG = stdoutLog(
  'LOG %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %REQUESTED_SERVER_NAME% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% ' +
    '%CONNECTION_TERMINATION_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% %FILTER_CHAIN_NAME% %PROTOCOL% %UPSTREAM_CLUSTER% ' +
    '%UPSTREAM_HOST% %ACCESS_LOG_TYPE% %DOWNSTREAM_TLS_VERSION%',
);
const denyAll = {
  name: 'envoy.filters.network.rbac',
  typedConfig: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC',
    statPrefix: 'rbac',
    rules: { action: 'DENY', policies: { none: { permissions: [{ any: true }], principals: [{ any: true }] } } },
  },
};

/** What each client does, in order; every one has an address of its own. */
const CLIENTS: readonly {
  readonly what: string;
  readonly sni?: string;
  readonly send?: string;
  /** Envoy dials before TLS has begun and before authorization. */
  readonly early?: true;
}[] = [
  { what: 'plain TCP', send: 'hello' },
  { what: 'plain HTTP', sni: '', send: 'GET / HTTP/1.1\r\nhost: x\r\n\r\n' },
  { what: 'TCP within TLS', sni: 'tcp.com', send: 'hello' },
  { what: 'HTTP within TLS', sni: 'http.com', send: 'GET / HTTP/1.1\r\nhost: x\r\n\r\n' },
  { what: 'no chain', sni: 'other.com', send: 'hello' },
  { what: 'denied', sni: 'denied.com', send: 'hello', early: true },
  { what: 'a cluster that is not there', sni: 'nocluster.com', send: 'hello', early: true },
  { what: 'a host that is not there', sni: 'dead.com', send: 'hello', early: true },
  { what: 'no certificate', sni: 'mutual.com', send: 'hello', early: true },
];

let backend: Server;
beforeAll(async () => {
  backend = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'));
  });
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
});
afterAll(() => backend.close());

function say(client: (typeof CLIENTS)[number], port: number, from: string): Promise<void> {
  return new Promise((done) => {
    const raw = connect({ port, host: '127.0.0.1', localAddress: from });
    const socket =
      client.sni === undefined || client.sni === ''
        ? raw
        : connectTls({ socket: raw, servername: client.sni, rejectUnauthorized: false });
    socket.on('error', () => undefined);
    raw.on('error', () => undefined);
    raw.on('close', () => done());
    socket.write(client.send ?? '');
    // The end of TCP comes from the upstream; a client of HTTP could go on.
    let heard = '';
    socket.on('data', (data: Buffer) => {
      heard += data.toString();
      if (client.send?.startsWith('GET ') === true && heard.endsWith('ok')) socket.destroy();
    });
  });
}

async function linesOf(
  start: (config: object) => Promise<{ readonly admin: number; output(): string; stop(): Promise<void> }>,
): Promise<readonly string[]> {
  const [tcp, http, secure, dead] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const chain = (name: string, filters: readonly object[], transportSocket = tls): object => ({
    name: `chain-${name}`,
    filterChainMatch: { serverNames: [`${name}.com`] },
    transportSocket,
    filters,
  });
  const logs = { accessLog: [LOG] };
  // How many digits a service time has is chance, and the bytes sent are compared.
  const requests = hcm([routeTo('app')], {
    httpFilters: [
      {
        name: 'envoy.filters.http.router',
        typedConfig: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
          suppressEnvoyHeaders: true,
        },
      },
    ],
  });
  const proxy = await start(
    bootstrap(
      [
        listener(tcp, [{ name: 'plain', filters: [tcpProxy('app')] }], logs),
        listener(http, [{ filters: [requests] }], logs),
        listener(
          secure,
          [
            chain('tcp', [tcpProxy('app')]),
            chain('http', [requests]),
            chain('denied', [denyAll, tcpProxy('app')]),
            chain('nocluster', [tcpProxy('none')]),
            chain('dead', [tcpProxy('dead')]),
            chain('mutual', [tcpProxy('app')], mutual),
          ],
          { ...logs, listenerFilters: [tlsInspector] },
        ),
      ],
      [staticCluster('app', [(backend.address() as AddressInfo).port]), staticCluster('dead', [dead])],
    ),
  );
  for (const [i, client] of CLIENTS.entries()) {
    await say(client, client.sni === undefined ? tcp : client.sni === '' ? http : secure, `127.66.0.${i + 1}`);
  }
  await statsWhenQuiet(proxy.admin);
  await proxy.stop();
  const lines = proxy
    .output()
    .split('\n')
    .filter((line) => line.startsWith('LOG '));
  return lines.map(normalize).toSorted();
}

function normalize(line: string): string {
  const client = CLIENTS[Number(/127\.66\.0\.(\d+)/.exec(line)?.[1]) - 1];
  const text = line.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST');
  if (client?.early !== true) return text;
  return text.replace(/ \d+ \d+ (chain-\w+) .*$/, ' $1');
}

test('every connection is logged as Envoy logs it', async () => {
  const theirs = await linesOf(async (config) => {
    const envoy = await startEnvoy(config);
    return { ...envoy, admin: envoy.adminPort };
  });
  expect(theirs).toHaveLength(CLIENTS.length);
  expect(await linesOf(startWithAdmin)).toEqual(theirs);
}, 60_000);
