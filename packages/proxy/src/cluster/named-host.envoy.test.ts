/** A host that requests name by SNI is the same host in all other respects: logs and counters, beside the real Envoy. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { fetchText } from '../filter/testing/beside.ts';
import { bootstrap, hcm, jsonLog, listener, socketAddress, staticCluster } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';
import { testAuthority } from '../tls/testing/certificates.ts';

const TYPE = 'type.googleapis.com/envoy.extensions';
const ca = testAuthority();
const server = ca.issue('server', 'DNS:localhost');
const client = ca.issue('client', 'URI:spiffe://cluster.local/ns/a/sa/client');

const cluster = (name: string, port: number, autoSni: boolean): object =>
  staticCluster(name, [], {
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          locality: { region: 'r', zone: 'near' },
          lbEndpoints: [
            {
              endpoint: { address: socketAddress(port), hostname: 'host-name' },
              metadata: { filterMetadata: { 'envoy.lb': { canary: true }, mine: { k: 'v' } } },
            },
          ],
        },
      ],
    },
    transportSocket: {
      name: 'tls',
      typedConfig: {
        '@type': `${TYPE}.transport_sockets.tls.v3.UpstreamTlsContext`,
        commonTlsContext: {
          tlsCertificates: [
            { certificateChain: { filename: client.certificateFile }, privateKey: { filename: client.keyFile } },
          ],
          validationContext: { trustedCa: { filename: ca.rootFile } },
        },
      },
    },
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
        upstreamHttpProtocolOptions: { autoSni },
        explicitHttpConfig: { httpProtocolOptions: {} },
      },
    },
  });

test.each([false, true])('named by requests: %s', { timeout: 60_000 }, async (autoSni) => {
  const backend = createServer({ key: server.keyPem, cert: server.certificatePem }, (_request, response) => {
    response.end('fine');
  });
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
  const there = (backend.address() as AddressInfo).port;
  const observe = async (
    start: (config: object) => Promise<{ readonly admin: number; output(): string; stop(): Promise<void> }>,
  ): Promise<unknown> => {
    const port = await freePort();
    const log = jsonLog({
      metadata: '%UPSTREAM_METADATA(mine:k)%',
      host: '%UPSTREAM_HOST_NAME%',
      peer: '%UPSTREAM_PEER_SUBJECT%',
    });
    const manager = hcm([{ match: { prefix: '/' }, route: { cluster: 'app' } }], { accessLog: [log] });
    const proxy = await start({
      node: { id: 'a', cluster: 'b', locality: { zone: 'own' } },
      ...bootstrap([listener(port, [{ filters: [manager] }])], [cluster('app', there, autoSni)]),
    });
    const response = await fetch(`http://localhost:${port}/`, { headers: { connection: 'close' } });
    const headers = [response.status, response.headers.get('x-envoy-upstream-canary'), await response.text()];
    const stats = await fetchText(proxy.admin, '/stats?filter=^cluster.app.(canary|zone)');
    await proxy.stop();
    const line = proxy
      .output()
      .split('\n')
      .find((each) => each.startsWith('{'));
    return {
      headers,
      stats: stats.split('\n').filter((each) => !each.includes('_time')),
      log: JSON.parse(line ?? '{}'),
    };
  };
  const theirs = await observe(async (config) => {
    const envoy = await startEnvoy(config);
    return { admin: envoy.adminPort, output: () => envoy.output(), stop: () => envoy.stop() };
  });
  const ours = await observe(startWithAdmin);
  backend.close();
  expect(ours).toEqual(theirs);
  expect(theirs).toMatchObject({ log: { metadata: 'v' } });
});
