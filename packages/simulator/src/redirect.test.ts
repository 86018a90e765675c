/** Recordings of istiod for proxies that capture all connections: their routes answer as they are written. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Headers } from '@mizzen/proxy/http/headers.ts';
import { peersFolder } from '@mizzen/testkit';
import type { types } from '@mizzen/xds';
import { describe, expect, test } from 'vitest';
import { enter } from './explain.ts';
import { passThrough, type HopResult } from './hop.ts';
import { compileNode, offlineDeps } from './programs.ts';
import type { NodePrograms } from './types.ts';

interface Recording {
  readonly listeners: readonly types.listener.Listener[];
  readonly routes: readonly types.route.RouteConfiguration[];
  readonly clusters: readonly { readonly name?: string }[];
  readonly endpoints: readonly unknown[];
}
interface Manager {
  readonly '@type': string;
  readonly rds?: { readonly routeConfigName?: string };
}

const OWN_ADDRESS = '10.244.0.99';
/** Nobody's: only listeners on every address take it. */
const SOME_ADDRESS = '240.0.0.77';
const random = offlineDeps().random;

const folder = peersFolder();
const files = folder === undefined ? [] : globSync(join(folder, 'istio/xds/**/xds-*.json')).toSorted();
const recordings = files
  .map((file) => [file.split('/').slice(-3).join('/'), JSON.parse(readFileSync(file, 'utf8')) as Recording] as const)
  .filter(([, { listeners }]) => listeners.some(({ name }) => name === 'virtualOutbound'));

function nodeOf(recording: Recording): NodePrograms {
  const node = { node: 'n', label: 'n', identity: undefined, address: OWN_ADDRESS };
  return compileNode(node, recording).programs;
}

async function ask(
  node: NodePrograms,
  to: { address: string; port: number },
  authority: string,
  path: string,
): Promise<HopResult> {
  const trace = { push: () => undefined };
  const request = { method: 'GET', path, authority, headers: [], enter: to };
  const arrival = enter(node, request, trace);
  if ('verdict' in arrival) return { kind: 'ended', verdict: arrival.verdict };
  const head = { method: 'GET', path, authority, scheme: 'http', headers: new Headers([]) };
  return passThrough(arrival, head, random, trace);
}

/** A listener for requests that leave, and the route configuration it names. */
function* outbound({ listeners }: Recording): Generator<{ address: string; port: number; routeConfig: string }> {
  for (const { address, filterChains, trafficDirection } of listeners) {
    const { address: host = '', portValue = 0 } = address?.socketAddress ?? {};
    if (trafficDirection !== 'OUTBOUND') continue;
    for (const { filters } of filterChains ?? [])
      for (const { typedConfig } of filters ?? []) {
        const name = (typedConfig as Manager | undefined)?.rds?.routeConfigName;
        if (name !== undefined)
          yield { address: host === '0.0.0.0' ? SOME_ADDRESS : host, port: portValue, routeConfig: name };
      }
  }
}

/** A path that the first route of a host with nothing but a path is for, and that route; read off the configuration alone. */
function plainRoute(routes: readonly types.route.Route[]): { path: string; route: types.route.Route } | undefined {
  const [first] = routes;
  // A fault answers before the route does.
  if (first?.match === undefined || first.typedPerFilterConfig?.['envoy.filters.http.fault'] !== undefined)
    return undefined;
  const { prefix, path, headers, queryParameters, runtimeFraction, grpc } = first.match;
  if (headers !== undefined || queryParameters !== undefined || runtimeFraction !== undefined || grpc !== undefined)
    return undefined;
  if (path !== undefined) return { path, route: first };
  return prefix === undefined ? undefined : { path: prefix, route: first };
}

function clustersOf({ route }: types.route.Route): readonly string[] | undefined {
  if (route?.cluster !== undefined) return [route.cluster];
  return route?.weightedClusters?.clusters?.map(({ name = '' }) => name);
}

// The recordings are somebody else's files and no part of this repository.
describe.skipIf(recordings.length === 0)('a proxy that captures connections (recordings absent: not tried)', () => {
  test('sends requests to a name and a port where the route configuration says', { timeout: 120_000 }, async () => {
    let asked = 0;
    const wrong: string[] = [];
    for (const [file, recording] of recordings) {
      const node = nodeOf(recording);
      const configs = new Map(recording.routes.map((config) => [config.name, config]));
      for (const { address, port, routeConfig } of outbound(recording)) {
        // What the proxy refuses, it does not have.
        if (!node.routes.has(routeConfig)) continue;
        for (const { domains = [], routes = [], name = '' } of configs.get(routeConfig)?.virtualHosts ?? []) {
          const plain = plainRoute(routes);
          if (plain === undefined) continue;
          const expected = clustersOf(plain.route);
          for (const domain of domains.slice(0, 2)) {
            const host = domain.startsWith('*') ? `nobody${domain.slice(1)}` : domain;
            const result = await ask(node, { address, port }, host, plain.path);
            asked++;
            const got =
              result.kind === 'forward' ? result.cluster : `${result.verdict.status} ${result.verdict.details}`;
            const status = plain.route.directResponse?.status;
            const right =
              expected === undefined
                ? result.kind === 'ended' && (status === undefined || result.verdict.status === status)
                : expected.includes(got);
            if (!right)
              wrong.push(`${file}: ${host}:${port}${plain.path} by ${name}: ${got}, not ${expected?.join(' or ')}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(3000);
  });

  test('sends what no listener is for where the capturing one says', async () => {
    for (const [file, recording] of recordings) {
      const node = nodeOf(recording);
      if (!node.listeners.some(({ name }) => name === 'virtualOutbound')) continue;
      const chains = recording.listeners.find(({ name }) => name === 'virtualOutbound')!.filterChains!;
      // With dynamic DNS, HTTP is not passed on as bytes.
      if (chains.some(({ filterChainMatch }) => filterChainMatch?.applicationProtocols !== undefined)) continue;
      const result = await ask(node, { address: SOME_ADDRESS, port: 54_321 }, 'x', '/');
      const chain = chains.find(({ filterChainMatch }) => filterChainMatch === undefined)!;
      const wanted = chain.filters!.map(
        ({ typedConfig }) => (typedConfig as { cluster?: string } | undefined)?.cluster,
      );
      expect(result, file).toMatchObject({ kind: 'forward', cluster: wanted.find((name) => name !== undefined) });
    }
  });
});
