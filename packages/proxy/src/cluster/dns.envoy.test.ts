/** Clusters of hosts that a server of DNS knows, beside the real Envoy: names that move, go, fail and come back. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, fetchText, TYPE } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, routeTo, socketAddress } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';
import { startDnsServer, type DnsAnswer } from './testing/dns-server.ts';

const at = (...last: readonly number[]): { readonly a: readonly string[] } => ({
  a: last.map((byte) => `127.0.0.${byte}`),
});

interface DnsCase {
  readonly name: string;
  readonly type: 'STRICT_DNS' | 'LOGICAL_DNS';
  /** What its name leads to, one after the other. Nobody listens at 127.0.0.9. */
  readonly answers: readonly DnsAnswer[];
  readonly cluster?: object;
  /** Endpoints of that name. */
  readonly endpoints?: number;
}

const BOTH = ['STRICT_DNS', 'LOGICAL_DNS'] as const;
const STORIES: readonly Omit<DnsCase, 'type'>[] = [
  { name: 'moves', answers: [at(1), at(2), at(3)] },
  { name: 'several', answers: [at(1, 2), at(2, 3), at(3)] },
  { name: 'turns', answers: [at(1, 2), at(2, 1), at(2, 1)] },
  { name: 'goes', answers: [at(1), 'NXDOMAIN', at(2)] },
  { name: 'empties', answers: [at(1), {}, at(2)] },
  { name: 'fails', answers: [at(1), 'SERVFAIL', at(2)] },
  { name: 'comes', answers: ['NXDOMAIN', at(1), at(1)] },
  { name: 'dead', answers: [at(9, 1), at(9, 1), at(1)] },
  {
    name: 'lives',
    answers: [
      { ...at(1), ttl: 1 },
      { ...at(2), ttl: 1 },
      { ...at(3), ttl: 1 },
    ],
    cluster: { respectDnsTtl: true, dnsRefreshRate: '60s' },
  },
  {
    name: 'checked',
    answers: [at(1), at(2), at(2)],
    cluster: {
      healthChecks: [
        {
          timeout: '1s',
          interval: '0.2s',
          noTrafficInterval: '0.2s',
          unhealthyThreshold: 1,
          healthyThreshold: 1,
          tcpHealthCheck: {},
        },
      ],
    },
  },
];
const CASES: readonly DnsCase[] = [
  ...STORIES.flatMap((story) =>
    BOTH.map((type) => ({ ...story, name: `${type === 'STRICT_DNS' ? 's' : 'l'}-${story.name}`, type })),
  ),
  { name: 's-twice', type: 'STRICT_DNS', answers: [at(1), at(1), at(2)], endpoints: 2 },
  {
    name: 's-default',
    type: 'STRICT_DNS',
    answers: [at(1), at(1), at(2)],
    cluster: { typedDnsResolverConfig: undefined },
  },
];

interface Seen {
  /** Who answered. */
  readonly answered: readonly string[];
  readonly hosts: readonly string[];
  readonly members: readonly string[];
}

const results: Record<string, Readonly<Record<string, Seen>>[]> = {};
const servers: Server[] = [];
let port = 0;

beforeAll(async () => {
  for (const last of [1, 2, 3]) {
    const server = createServer((_, response) => response.end(String(last)));
    await new Promise<void>((done) => server.listen(port, `127.0.0.${last}`, done));
    port = (server.address() as AddressInfo).port;
    servers.push(server);
  }
  [results['mizzen'], results['envoy']] = await Promise.all([observe('mizzen'), observe('envoy')]);
}, 90_000);
afterAll(() => {
  for (const server of servers) server.close();
});

async function observe(engine: 'mizzen' | 'envoy'): Promise<Readonly<Record<string, Seen>>[]> {
  const dns = await startDnsServer();
  const tell = (step: number): void => {
    for (const { name, answers } of CASES) dns.names.set(`${name}.example`, answers[step]!);
    dns.asked.clear();
  };
  tell(0);
  const resolvers = [socketAddress(dns.port)];
  const cares = `${TYPE}envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig`;
  const typedDnsResolverConfig = { name: 'cares', typedConfig: { '@type': cares, resolvers } };
  const clusters = CASES.map(({ name, type, cluster, endpoints = 1 }) => ({
    name,
    type,
    connectTimeout: '1s',
    dnsRefreshRate: '0.4s',
    dnsFailureRefreshRate: { baseInterval: '0.2s', maxInterval: '0.4s' },
    dnsLookupFamily: 'V4_ONLY',
    typedDnsResolverConfig,
    loadAssignment: {
      clusterName: name,
      endpoints: [
        { lbEndpoints: Array(endpoints).fill({ endpoint: { address: socketAddress(port, `${name}.example`) } }) },
      ],
    },
    ...cluster,
  }));
  const own = await freePort();
  const routes = CASES.map(({ name }) => routeTo(name, `/${name}/`));
  const config = {
    ...bootstrap([listener(own, [{ filters: [hcm(routes)] }])], clusters),
    typedDnsResolverConfig,
  };
  const proxy = engine === 'mizzen' ? await startWithAdmin(config) : await startEnvoy(config);
  const admin = 'admin' in proxy ? proxy.admin : proxy.adminPort;
  const seen: Readonly<Record<string, Seen>>[] = [];
  for (let step = 0; step < 3; step++) {
    tell(step);
    const unasked = (): readonly string[] =>
      CASES.map(({ name }) => name).filter((name) => (dns.asked.get(`${name}.example`) ?? 0) < 3);
    // Who asks again has taken in what it was told before.
    await until(
      () => `questions after ${unasked().join(', ')}`,
      () => unasked().length === 0,
    );
    await until('the end of first checks', async () => !/_active_hc/.test(await fetchText(admin, '/clusters')));
    seen.push(await look(own, admin));
  }
  await proxy.stop();
  dns.stop();
  return seen;
}

async function look(own: number, admin: number): Promise<Readonly<Record<string, Seen>>> {
  const answered = new Map<string, string[]>();
  for (const { name } of CASES) {
    const all = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const reply = await ask(own, `GET /${name}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      all.add(
        `${reply.slice(9, 12)} ${reply.startsWith('HTTP/1.1 200') ? /\r\n\r\n(?:1\r\n)?(\d)/.exec(reply)?.[1] : ''}`,
      );
    }
    answered.set(name, [...all].toSorted());
  }
  const clusters = (await fetchText(admin, '/clusters')).replaceAll(`:${port}`, '').split('\n');
  const stats = (await fetchText(admin, '/stats')).split('\n');
  return Object.fromEntries(
    CASES.map(({ name, endpoints }) => [
      name,
      {
        answered: answered.get(name)!,
        hosts: clusters
          .filter((line) => line.startsWith(`${name}::`) && /::(hostname|health_flags)::/.test(line))
          .toSorted(),
        members: stats
          .filter(
            (line) =>
              line.startsWith(`cluster.${name}.`) && /membership_(change|total)|update_(failure|empty)/.test(line),
          )
          .map((line) => line.replace(/(failure|empty): [1-9]\d*$/, '$1: some'))
          // Envoy asks for each endpoint, and has as many changes.
          .filter((line) => endpoints === undefined || !line.includes('membership_change'))
          .toSorted(),
      },
    ]),
  );
}

describe('hosts of names are as Envoy’s', () => {
  test.each(CASES.map(({ name }) => name))('%s', (name) => {
    const [mine, theirs] = [results['mizzen']!, results['envoy']!].map((steps) => steps.map((step) => step[name]!));
    expect(theirs!.some(({ answered }) => answered.some((one) => one.startsWith('200')))).toBe(true);
    expect(mine).toEqual(theirs);
  });
});

const DFP = `${TYPE}envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig`;
const FILTERS = `${TYPE}envoy.extensions.filters.http`;

/** What a request for a host of two addresses gets, of which the first leads nowhere. */
async function forwarded(engine: 'mizzen' | 'envoy'): Promise<string> {
  const dns = await startDnsServer();
  dns.names.set('dead.example', at(9, 1));
  const typedConfig = {
    '@type': `${TYPE}envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig`,
    resolvers: [socketAddress(dns.port)],
  };
  const dnsCacheConfig = {
    name: 'cache',
    dnsLookupFamily: 'V4_ONLY',
    typedDnsResolverConfig: { name: 'cares', typedConfig },
  };
  const httpFilters = [
    { name: 'dfp', typedConfig: { '@type': `${FILTERS}.dynamic_forward_proxy.v3.FilterConfig`, dnsCacheConfig } },
    { name: 'router', typedConfig: { '@type': `${FILTERS}.router.v3.Router` } },
  ];
  const clusterType = { name: 'dfp', typedConfig: { '@type': DFP, dnsCacheConfig } };
  const own = await freePort();
  const config = bootstrap(
    [listener(own, [{ filters: [hcm([routeTo('dfp')], { httpFilters })] }])],
    [{ name: 'dfp', connectTimeout: '1s', lbPolicy: 'CLUSTER_PROVIDED', clusterType }],
  );
  const proxy = engine === 'mizzen' ? await startWithAdmin(config) : await startEnvoy(config);
  const reply = await ask(own, `GET / HTTP/1.1\r\nhost: dead.example:${port}\r\nconnection: close\r\n\r\n`);
  await proxy.stop();
  dns.stop();
  return reply.slice(0, 12);
}

test('a forward proxy tries all addresses of a host, as Envoy does', { timeout: 60_000 }, async () => {
  expect(await forwarded('envoy')).toBe('HTTP/1.1 200');
  expect(await forwarded('mizzen')).toBe('HTTP/1.1 200');
});

/** A name that this machine's file of hosts has, and no server of DNS. */
const OWN = /^(?:\d+\.){3}\d+\s+(?!localhost\b)([\w-]+)/m.exec(readFileSync('/etc/hosts', 'utf8'))?.[1];

test('the file of hosts comes before servers, as for Envoy', { timeout: 60_000 }, async () => {
  if (OWN === undefined) throw new Error('/etc/hosts has no name but localhost: add a line such as `127.0.1.1 here`');
  const dns = await startDnsServer();
  const cares = `${TYPE}envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig`;
  const cluster = {
    name: 'own',
    type: 'STRICT_DNS',
    dnsLookupFamily: 'V4_ONLY',
    typedDnsResolverConfig: { name: 'cares', typedConfig: { '@type': cares, resolvers: [socketAddress(dns.port)] } },
    loadAssignment: {
      clusterName: 'own',
      endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(port, OWN) } }] }],
    },
  };
  const members = async (engine: 'mizzen' | 'envoy'): Promise<string[]> => {
    const config = bootstrap([], [cluster]);
    const proxy = engine === 'mizzen' ? await startWithAdmin(config) : await startEnvoy(config);
    const admin = 'admin' in proxy ? proxy.admin : proxy.adminPort;
    const hosts = async (): Promise<string[]> =>
      (await fetchText(admin, '/clusters')).split('\n').filter((line) => line.endsWith('::health_flags::healthy'));
    await expect.poll(hosts, { timeout: 10_000 }).not.toEqual([]);
    const found = await hosts();
    await proxy.stop();
    return found;
  };
  expect(await members('mizzen')).toEqual(await members('envoy'));
  dns.stop();
});
