/** Clusters that lead nowhere, or round in circles: requests fail and the proxy goes on, as Envoy does. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, listener, socketAddress, staticCluster } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { testAuthority } from '../tls/testing/certificates.ts';

const TYPE = 'type.googleapis.com/envoy.extensions';

function aggregate(name: string, ...clusters: string[]): object {
  const typedConfig = { '@type': `${TYPE}.clusters.aggregate.v3.ClusterConfig`, clusters };
  return { name, lbPolicy: 'CLUSTER_PROVIDED', clusterType: { name: 'envoy.clusters.aggregate', typedConfig } };
}

/** A secret that does not come: the file holds another. */
function tlsWithout(secret: string): object {
  const path = join(mkdtempSync(join(tmpdir(), 'mizzen-sds-')), 'secrets.json');
  const { rootPem } = testAuthority();
  const other = {
    '@type': `${TYPE}.transport_sockets.tls.v3.Secret`,
    name: 'other',
    validationContext: { trustedCa: { inlineString: rootPem } },
  };
  writeFileSync(path, JSON.stringify({ resources: [other] }));
  const sdsConfig = { pathConfigSource: { path }, initialFetchTimeout: '0.1s' };
  return {
    transportSocket: {
      name: 'envoy.transport_sockets.tls',
      typedConfig: {
        '@type': `${TYPE}.transport_sockets.tls.v3.UpstreamTlsContext`,
        commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: secret, sdsConfig }] },
      },
    },
  };
}

test('requests to them fail, one after the other', { timeout: 60_000 }, async () => {
  const backend = createServer((_request, response) => response.end());
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
  const { port: there } = backend.address() as AddressInfo;
  const additionalAddresses = [{ address: socketAddress(there, '127.0.0.2') }];
  const lbEndpoints = [{ endpoint: { address: socketAddress(there), additionalAddresses } }];
  const clusters = [
    aggregate('itself', 'itself'),
    aggregate('there', 'back'),
    aggregate('back', 'there'),
    aggregate('to an aggregate', 'to one'),
    aggregate('to one', 'one'),
    aggregate('to itself and one', 'to itself and one', 'one'),
    aggregate('to nobody', 'nobody'),
    staticCluster('one', [there]),
    staticCluster('without a secret', [], {
      loadAssignment: { clusterName: 'without a secret', endpoints: [{ lbEndpoints }] },
      ...tlsWithout('wanted'),
    }),
  ];
  const names = clusters.map((cluster) => (cluster as { name: string }).name);
  const observe = async (
    start: (config: object) => Promise<{ stop(): Promise<void> }>,
  ): Promise<Record<string, number[]>> => {
    const port = await freePort();
    const routes = names.map((cluster, i) => ({ match: { prefix: `/${i}/` }, route: { cluster } }));
    const node = { id: 'a', cluster: 'b' };
    const proxy = await start({ node, ...bootstrap([listener(port, [{ filters: [hcm(routes)] }])], clusters) });
    const ask = async (i: number): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${port}/${i}/`, { headers: { connection: 'close' } });
      await response.arrayBuffer();
      return response.status;
    };
    const seen: Record<string, number[]> = {};
    for (const [i, name] of names.entries()) seen[name] = [await ask(i), await ask(i)];
    await proxy.stop();
    return seen;
  };
  const theirs = await observe(startEnvoy);
  const ours = await observe(startProxy);
  backend.close();
  expect(ours).toEqual(theirs);
  expect(theirs['one']).toEqual([200, 200]);
});
