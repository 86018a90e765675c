import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { testAuthority } from '../tls/testing/certificates.ts';
import { bootstrap, downstreamTls, hcm, listener, routeTo, staticCluster } from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const ca = testAuthority();
const identity = ca.issue('a', 'DNS:a');
const OFFERED = 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256';

function agreed(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ciphers: OFFERED,
      maxVersion: 'TLSv1.2',
      rejectUnauthorized: false,
    });
    socket.once('secureConnect', () => {
      resolve(socket.getCipher().name);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

async function observe(start: (config: object) => Promise<{ stop(): Promise<void> }>): Promise<string[]> {
  const ports = [await freePort(), await freePort()];
  const listeners = ports.map((port, i) => {
    const socket = downstreamTls(identity, ca.rootFile, { requireClient: false }) as { typedConfig: object };
    const typedConfig = { ...socket.typedConfig, preferClientCiphers: i === 1 };
    return listener(port, [{ transportSocket: { ...socket, typedConfig }, filters: [hcm([routeTo('app')])] }]);
  });
  const proxy = await start(bootstrap(listeners, [staticCluster('app', [1])]));
  try {
    return [await agreed(ports[0]!), await agreed(ports[1]!)];
  } finally {
    await proxy.stop();
  }
}

test('whose cipher suite comes first is as in Envoy', async () => {
  const theirs = await observe(startEnvoy);
  expect(theirs).toEqual(['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']);
  expect(await observe(startProxy)).toEqual(theirs);
}, 60_000);
