/** Secrets that nothing names any more are kept no longer, here as by the real Envoy. */
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { test } from 'vitest';
import { testAuthority } from '../tls/testing/certificates.ts';
import { staticCluster } from './testing/bootstraps.ts';
import { startWithAdmin } from './testing/standalone.ts';

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';
const ca = testAuthority();

async function observe(
  start: (config: object) => Promise<{ readonly admin: number; stop(): Promise<void> }>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-forgotten-'));
  const write = (name: string, resources: readonly object[]): string => {
    const path = join(folder, `${name}.json`);
    writeFileSync(`${path}.new`, JSON.stringify({ versionInfo: String(Math.random()), resources }));
    renameSync(`${path}.new`, path);
    return path;
  };
  const secret = (name: string): object => {
    const { certificatePem, keyPem } = ca.issue(name, `DNS:${name}.test`);
    const tlsCertificate = { certificateChain: { inlineString: certificatePem }, privateKey: { inlineString: keyPem } };
    return {
      name,
      sdsConfig: { pathConfigSource: { path: write(name, [{ '@type': `${TLS}.Secret`, name, tlsCertificate }]) } },
    };
  };
  const [one, other] = [secret('one'), secret('other')];
  const there = await freePort();
  const cluster = (named: object): object => ({
    '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
    ...staticCluster('app', [there]),
    transportSocket: {
      name: 'tls',
      typedConfig: {
        '@type': `${TLS}.UpstreamTlsContext`,
        commonTlsContext: { tlsCertificateSdsSecretConfigs: [named] },
      },
    },
  });
  const path = write('clusters', [cluster(one)]);
  const proxy = await start({
    node: { id: 'a', cluster: 'b' },
    dynamicResources: { cdsConfig: { pathConfigSource: { path } } },
  });
  const names = async (): Promise<string[]> => {
    const response = await fetch(`http://127.0.0.1:${proxy.admin}/config_dump?resource=dynamic_active_secrets`);
    const { configs = [] } = (await response.json()) as { configs?: { name: string }[] };
    return configs.map(({ name }) => name).sort();
  };
  try {
    for (const [clusters, wanted] of [
      [undefined, 'one'],
      [[cluster(other)], 'other'],
      [[], ''],
      [[cluster(one)], 'one'],
    ] as const) {
      if (clusters !== undefined) write('clusters', clusters);
      let seen = '';
      await until(
        () => `${wanted}, not ${seen}`,
        async () => (seen = (await names()).join()) === wanted,
      );
    }
  } finally {
    await proxy.stop();
  }
}

test('as clusters come and go', { timeout: 120_000 }, async () => {
  await observe(async (config) => {
    const envoy = await startEnvoy(config);
    return { admin: envoy.adminPort, stop: () => envoy.stop() };
  });
  await observe(startWithAdmin);
});
