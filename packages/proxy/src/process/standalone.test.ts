import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { freePort } from '@mizzen/testkit';
import { bootstrap, hcm, listener, routeTo, staticCluster } from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const MAIN = fileURLToPath(new URL('./standalone.ts', import.meta.url));

function run(config: object | string): { status: number | null; stderr: string } {
  const file = join(mkdtempSync(join(tmpdir(), 'mizzen-standalone-')), 'bootstrap.yaml');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '-c', file], { encoding: 'utf8', timeout: 10_000 });
  return { status, stderr: stderr.replaceAll(file, 'FILE') };
}

test('everything that is refused is named, and the proxy does not start', async () => {
  const port = await freePort();
  const originalSource = {
    name: 'envoy.filters.listener.original_src',
    typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.original_src.v3.OriginalSrc' },
  };
  const { status, stderr } = run({
    ...bootstrap(
      [listener(port, [{ filters: [hcm([routeTo('app')])] }], { listenerFilters: [originalSource] })],
      [
        staticCluster('app', [port], { perConnectionBufferHighWatermarkTimeout: '1s' }),
        staticCluster('typo', [port], { lbPolicyy: 'RANDOM' }),
      ],
    ),
    hdsConfig: {},
    dynamicResources: { adsConfig: { apiType: 'REST' }, ldsConfig: { path: '/x' } },
  });
  expect(status).toBe(1);
  expect(stderr).toContain(`\`listener-${port}\`: listenerFilters[0].typedConfig: `);
  expect(stderr).toContain('`app`: perConnectionBufferHighWatermarkTimeout: not supported');
  expect(stderr).toContain('`typo`: lbPolicyy');
  expect(stderr).toContain('`FILE`: hdsConfig: not supported');
  expect(stderr).toContain('`FILE`: dynamicResources.adsConfig.apiType: `REST`: there are no REST sources');
  expect(stderr).toContain('`FILE`: node: `id` and `cluster` are required');
});

test('a listener that has to wait for clusters is refused at once', async () => {
  const port = await freePort();
  const named = {
    name: 'app',
    type: 'STRICT_DNS',
    loadAssignment: {
      clusterName: 'app',
      endpoints: [
        { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: 'localhost', portValue: port } } } }] },
      ],
    },
  };
  const { status, stderr } = run(bootstrap([listener(port, [{ filters: [hcm([routeTo('nowhere')])] }])], [named]));
  expect(stderr).toContain(`\`listener-${port}\`: filterChains[0].filters[0]`);
  expect(stderr).toContain('there is no cluster `nowhere`');
  expect(status).toBe(1);
});

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

test.each([
  {
    typedExtensionProtocolOptions: {
      [HTTP_OPTIONS]: {
        '@type': `type.googleapis.com/${HTTP_OPTIONS}`,
        explicitHttpConfig: { http2ProtocolOptions: {} },
      },
    },
  },
  { http2ProtocolOptions: {} },
])('requests cannot go to a cluster that speaks HTTP/2 alone: %j', async (options) => {
  const port = await freePort();
  const http2 = staticCluster('calls', [port], options);
  const weighted = {
    weightedClusters: {
      clusters: [
        { name: 'app', weight: 1 },
        { name: 'calls', weight: 1 },
      ],
    },
  };
  const mirrored = { cluster: 'app', requestMirrorPolicies: [{ cluster: 'calls' }] };
  const routes = [{ cluster: 'calls' }, weighted, mirrored].map((route) => ({ match: { prefix: '/' }, route }));
  const { status, stderr } = run(
    bootstrap([listener(port, [{ filters: [hcm(routes)] }])], [http2, staticCluster('app', [port])]),
  );
  expect(status).toBe(1);
  for (const field of ['cluster', 'weightedClusters.clusters[1].name', 'requestMirrorPolicies[0].cluster'])
    expect(stderr).toContain(`${field}: the cluster \`calls\` speaks HTTP/2 alone, and there is no HTTP/2 yet`);
});

test('a cluster that speaks what its clients speak is not for HTTP/2 alone', async () => {
  const port = await freePort();
  const either = staticCluster('either', [port], {
    http2ProtocolOptions: {},
    protocolSelection: 'USE_DOWNSTREAM_PROTOCOL',
  });
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'either' } }];
  expect(run(bootstrap([listener(port, [{ filters: [hcm(routes)] }])], [either])).status).toBe(0);
});

test('a file that is no bootstrap is said to be none', () => {
  const { status, stderr } = run('- a\n- b\n');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^`FILE` is not a bootstrap: /);
  expect(run('a: [b').stderr).toMatch(/^`FILE` cannot be parsed: /);
});

test('what fails within is told, and the others are served', async () => {
  const port = await freePort();
  const answer = { match: { prefix: '/' }, directResponse: { status: 202 } };
  const fails = "data:text/javascript,process.on('SIGUSR2',()=>{throw(new(Error)('broken'))})";
  const proxy = await startProxy(bootstrap([listener(port, [{ filters: [hcm([answer])] }])], []), [], {
    ...process.env,
    NODE_OPTIONS: `--import "${fails}"`,
  });
  try {
    process.kill(proxy.pid, 'SIGUSR2');
    await expect
      .poll(() => proxy.output(), { timeout: 10_000 })
      .toContain('a failure of this proxy itself: Error: broken');
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(202);
  } finally {
    await proxy.stop();
  }
});

test('it goes on when nobody reads what it logs', async () => {
  const port = await freePort();
  const answer = { match: { prefix: '/' }, directResponse: { status: 202 } };
  const config = bootstrap([listener(port, [{ filters: [hcm([answer])] }])], []);
  const file = join(mkdtempSync(join(tmpdir(), 'mizzen-standalone-')), 'bootstrap.yaml');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, [MAIN, '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  child.stderr.destroy();
  // A warning.
  child.kill('SIGHUP');
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(202);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});
