/** Listeners without names and at paths, and hosts that names stand for or that come as they are asked for, beside Envoy. */
import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { fetchText } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, staticCluster, tcpProxy } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';

/** What there is to know of a client that came by a path. */
const SEEN = [
  '[%REQ(x-forwarded-for)%]',
  '[%REQ(x-envoy-external-address)%]',
  '[%REQ(x-envoy-internal)%]',
  ...['REMOTE', 'DIRECT_REMOTE', 'LOCAL', 'DIRECT_LOCAL'].flatMap((end) => [
    `%DOWNSTREAM_${end}_ADDRESS%`,
    `%DOWNSTREAM_${end}_ADDRESS_WITHOUT_PORT%`,
    `[%DOWNSTREAM_${end}_PORT%]`,
  ]),
].join(' ');
const answer = {
  match: { prefix: '/' },
  directResponse: { status: 200 },
  responseHeadersToAdd: [{ header: { key: 'x-seen', value: SEEN } }],
};

/** Comes by a path. */
function seenAt(socketPath: string): Promise<string> {
  return new Promise((done, failed) => {
    const asked = request({ socketPath, path: '/', agent: false }, (response) => {
      response.resume();
      done(String(response.headers['x-seen']).replaceAll(socketPath, 'PATH'));
    });
    asked.on('error', failed);
    asked.end();
  });
}

interface Running {
  readonly admin: number;
  stop(): Promise<void>;
}

async function observe(start: (config: object) => Promise<Running>): Promise<object> {
  const ports = [await freePort(), await freePort()];
  const path = join(mkdtempSync(join(tmpdir(), 'mizzen-places-')), 'listener');
  const chains = [{ filters: [tcpProxy('app')] }];
  const named = (name: string, more: object): object => {
    const { loadAssignment: _, ...cluster } = staticCluster(name, [1]) as Record<string, unknown>;
    return { ...cluster, ...more };
  };
  const address = { socketAddress: { address: 'localhost', portValue: 9 } };
  const loadAssignment = { clusterName: 'x', endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] };
  const running = await start(
    bootstrap(
      [
        ...ports.map((port) => ({ ...listener(port, chains), name: '' })),
        {
          name: 'path',
          address: { pipe: { path } },
          filterChains: [{ filters: [hcm([answer], { useRemoteAddress: true })] }],
        },
      ],
      [
        staticCluster('app', [1]),
        named('strict', { type: 'STRICT_DNS', dnsLookupFamily: 'V4_ONLY', loadAssignment }),
        named('logical', { type: 'LOGICAL_DNS', dnsLookupFamily: 'V4_ONLY', loadAssignment }),
        named('original', { type: 'ORIGINAL_DST', lbPolicy: 'CLUSTER_PROVIDED' }),
      ],
    ),
  );
  try {
    const ask = async (target: string): Promise<string> =>
      ports.reduce(
        (text, port, i) => text.replaceAll(String(port), `1111${i}`),
        (await fetchText(running.admin, target))
          .replaceAll(path, 'PATH')
          .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'UUID')
          .replaceAll(/"last_updated": "[^"]*"/g, '"last_updated": "TIME"'),
      );
    const json = async (target: string, list: string): Promise<unknown> =>
      ((JSON.parse(await ask(target)) as Record<string, object[]>)[list] ?? [])
        .map((each) => JSON.stringify(each, (_, value: unknown) => sorted(value)))
        .toSorted();
    await expect.poll(() => ask('/clusters')).toMatch(/logical::127[^]*strict::127|strict::127[^]*logical::127/);
    return {
      seen: await seenAt(path),
      listeners: await ask('/listeners'),
      listenersJson: await json('/listeners?format=json', 'listener_statuses'),
      stats: (await ask('/stats?filter=%5Elistener%5C.[1/].*downstream_cx_active$')).split('\n').toSorted(),
      dump: await json('/config_dump?resource=static_listeners', 'configs'),
      endpoints: await json('/config_dump?resource=static_endpoint_configs&include_eds', 'configs'),
      clusters: await json('/clusters?format=json', 'cluster_statuses'),
    };
  } finally {
    await running.stop();
  }
}

/** Envoy's keys come in no order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

test('places of listeners and hosts', { timeout: 60_000 }, async () => {
  const theirs = await observe(async (config) => {
    const envoy = await startEnvoy(config);
    return { admin: envoy.adminPort, stop: () => envoy.stop() };
  });
  expect(await observe(startWithAdmin)).toEqual(theirs);
});
