/** Server names and names of certificates that follow from requests: who a host must be, beside the real Envoy. */
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, listener, staticCluster } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { testAuthority } from '../tls/testing/certificates.ts';

const TYPE = 'type.googleapis.com/envoy.extensions';
const ca = testAuthority();
const { certificatePem: cert, keyPem: key } = ca.issue('server', 'DNS:server.test,DNS:*.wild.test,IP:127.0.0.9');
const HOSTS = [
  'server.test',
  'SERVER.test:80',
  'a.wild.test',
  'a_b.wild.test',
  'a.b.wild.test',
  'other.test',
  'server.test.',
  '127.0.0.1',
  '127.0.0.9:80',
  '[::1]:80',
  'x'.repeat(300),
];
const TRUSTED = { validationContext: { trustedCa: { filename: ca.rootFile } } };
/** Node does not tell the SNI of sessions that are resumed. */
const CLUSTERS = {
  sni: [{ autoSni: true }, TRUSTED, {}],
  both: [{ autoSni: true, autoSanValidation: true }, TRUSTED, {}],
  names: [{ autoSanValidation: true }, TRUSTED, { sni: 'fixed.test', maxSessionKeys: 0 }],
  'names of SNI': [{ autoSni: true }, TRUSTED, { autoSniSanValidation: true }],
  'by a header': [{ autoSni: true, autoSanValidation: true, overrideAutoSniHeader: 'X-Name' }, TRUSTED, {}],
  'names by a header': [
    { autoSanValidation: true, overrideAutoSniHeader: 'x-name' },
    TRUSTED,
    { sni: 'fixed.test', maxSessionKeys: 0 },
  ],
  'without an authority': [{ autoSni: true, autoSanValidation: true }, {}, {}],
} as const;

function ask(port: number, path: string, host: string, name?: string): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path,
        headers: name === undefined ? { host } : { host, 'x-name': name },
        agent: false,
      },
      (response) => {
        let body = '';
        response.on('data', (data: Buffer) => (body += data.toString()));
        response.on('end', () => resolve(response.statusCode === 200 ? body : String(response.statusCode)));
      },
    );
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}

test('the right ones are asked for, and nobody else is spoken to', { timeout: 60_000 }, async () => {
  const backend = createServer({ key, cert }, (asked, response) =>
    response.end(`SNI ${String((asked.socket as TLSSocket).servername)}`),
  );
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
  const there = (backend.address() as AddressInfo).port;
  const clusters = Object.entries(CLUSTERS).map(([name, [options, commonTlsContext, more]]) =>
    staticCluster(name, [there], {
      transportSocket: {
        name: 'tls',
        typedConfig: { '@type': `${TYPE}.transport_sockets.tls.v3.UpstreamTlsContext`, commonTlsContext, ...more },
      },
      typedExtensionProtocolOptions: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
          upstreamHttpProtocolOptions: options,
          explicitHttpConfig: { httpProtocolOptions: {} },
        },
      },
    }),
  );
  const observe = async (
    start: (config: object) => Promise<{ stop(): Promise<void> }>,
  ): Promise<Record<string, string>> => {
    const port = await freePort();
    const routes = Object.keys(CLUSTERS).map((cluster, i) => ({ match: { prefix: `/${i}/` }, route: { cluster } }));
    const proxy = await start(bootstrap([listener(port, [{ filters: [hcm(routes)] }])], clusters));
    const seen: Record<string, string> = {};
    for (const [i, name] of Object.keys(CLUSTERS).entries())
      for (const host of HOSTS) seen[`${name}: ${host}`] = await ask(port, `/${i}/`, host);
    for (const [i, cluster] of Object.keys(CLUSTERS).entries())
      for (const name of ['server.test', 'B.wild.test:8', 'other.test', '127.0.0.9', ''])
        seen[`${cluster}: server.test as ${name}`] = await ask(port, `/${i}/`, 'server.test', name);
    await proxy.stop();
    return seen;
  };
  const theirs = await observe(startEnvoy);
  const ours = await observe(startProxy);
  backend.close();
  expect(ours).toEqual(theirs);
  expect(theirs['both: server.test']).toBe('SNI server.test');
  expect(theirs['by a header: server.test as other.test']).toBe('503');
  expect(theirs['by a header: server.test as B.wild.test:8']).toBe('SNI B.wild.test');
  expect(theirs['both: 127.0.0.1']).toBe('503');
});
