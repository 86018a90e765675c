import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { testAuthority } from '../tls/testing/certificates.ts';
import { bootstrap, downstreamTls, hcm, listener, routeTo, staticCluster, upstreamTls } from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const ca = testAuthority();
const identity = ca.issue('a', 'URI:spiffe://cluster.local/ns/a/sa/a');
let backend: Server;
beforeAll(async () => {
  backend = createServer((_incoming, response) => response.end('ok'));
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
});
afterAll(() => void backend.close());

function fetchText(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}

/** A request to each of some clusters that lead to a TLS listener of the same proxy; then its counters of TLS. */
async function observe(
  start: (config: object) => Promise<{ readonly adminPort?: number; stop(): Promise<void> }>,
): Promise<string[]> {
  const [front, inner, admin] = [await freePort(), await freePort(), await freePort()];
  const tls = {
    modern: upstreamTls(identity, ca.rootFile, {
      params: { tlsMinimumProtocolVersion: 'TLSv1_3', tlsMaximumProtocolVersion: 'TLSv1_3' },
    }),
    usual: upstreamTls(identity, ca.rootFile),
    wrong: upstreamTls(identity, ca.rootFile, { san: 'spiffe://nobody' }),
  };
  const proxy = await start({
    ...bootstrap(
      [
        listener(front, [{ filters: [hcm(Object.keys(tls).map((name) => routeTo(name, `/${name}`)))] }]),
        listener(inner, [{ transportSocket: downstreamTls(identity, ca.rootFile), filters: [hcm([routeTo('app')])] }], {
          statPrefix: 'inner',
        }),
      ],
      [
        staticCluster('app', [(backend.address() as AddressInfo).port]),
        ...Object.entries(tls).map(([name, transportSocket]) => staticCluster(name, [inner], { transportSocket })),
      ],
    ),
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: admin } } },
  });
  const lines = async (prefix: string): Promise<string[]> =>
    (await fetchText(proxy.adminPort ?? admin, '/stats'))
      .split('\n')
      .filter((line) => line.startsWith(prefix))
      .filter((line) =>
        /\.ssl\.(ciphers|versions|curves|sigalgs|handshake|fail_verify_(san|cert_hash|error))/.test(line),
      )
      .toSorted();
  await fetchText(front, '/modern');
  await fetchText(front, '/usual');
  // Before the refusal: this proxy's client refuses a name once the handshake is done, which the server then counts.
  const listeners = await lines('listener.inner');
  await fetchText(front, '/wrong');
  const stats = [...(await lines('cluster.')), ...listeners];
  await proxy.stop();
  return stats;
}

test('handshakes are counted as by Envoy: by version, cipher, group, signature and by why they failed', async () => {
  const theirs = await observe(startEnvoy);
  expect(theirs).toContain('cluster.modern.ssl.versions.TLSv1.3: 1');
  expect(theirs).toContain('cluster.wrong.ssl.fail_verify_san: 1');
  expect(await observe(startProxy)).toEqual(theirs);
}, 60_000);
