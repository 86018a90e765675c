import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { freePort } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { testAuthority } from './testing/certificates.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';

test('the roots of the system are those that the system has', { timeout: 30_000 }, async () => {
  const [ca, elsewhere] = [testAuthority('here'), testAuthority('elsewhere')];
  const { certificatePem: cert, keyPem: key } = ca.issue('server', 'DNS:server.test');
  const backend = createServer({ key, cert }, (_request, response) => response.end());
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
  const typedConfig = {
    '@type': `${TYPE}.UpstreamTlsContext`,
    commonTlsContext: { validationContext: { systemRootCerts: {} } },
  };
  const app = staticCluster('app', [(backend.address() as AddressInfo).port], {
    transportSocket: { name: 'tls', typedConfig },
  });
  const statusWith = async (rootFile: string): Promise<number> => {
    const port = await freePort();
    const proxy = await startProxy(bootstrap([listener(port, [{ filters: [hcm([routeTo('app')])] }])], [app]), [], {
      ...process.env,
      SSL_CERT_FILE: rootFile,
      SSL_CERT_DIR: elsewhere.folder,
    });
    const { status } = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    await proxy.stop();
    return status;
  };
  expect([await statusWith(ca.rootFile), await statusWith(elsewhere.rootFile)]).toEqual([200, 503]);
  backend.close();
});
