/**
 * Random route tables, or authorization policies, and random requests: what the pure evaluation, this proxy and the real
 * Envoy decide, side by side.
 */
import { startEnvoy } from '@mizzen/testkit';
import fc from 'fast-check';
import { Headers } from '../../http/headers.ts';
import { startProxy } from '../../process/testing/standalone.ts';
import type { ConnectionInfo, RequestHead } from '../../types.ts';
import { compileListener } from '../listener/compile.ts';
import { OfflineStream } from '../offline-stream.ts';
import type { HcmProgram } from '../types.ts';
import { rbac, request as anyRequest, routeTable } from './arbitrary.ts';
import { testDeps } from './deps.ts';
import { startOracle, type Oracle } from './oracle.ts';

export type Property = 'routes' | 'rbac';

/** One configuration and one request, and what each side made of it; `differs` when they do not agree. */
export interface Pair {
  readonly manager: object;
  readonly request: string;
  readonly envoy: object;
  readonly proxy: object;
  readonly evaluation: object;
}

const HCM = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const FILTERS = 'type.googleapis.com/envoy.extensions.filters.http';
const CLUSTERS = ['c1', 'c2', 'c3'];
const router = { name: 'router', typedConfig: { '@type': `${FILTERS}.router.v3.Router` } };
const mark = [
  { header: { key: 'x-used', value: '%UPSTREAM_CLUSTER%' } },
  { header: { key: 'x-route', value: '%ROUTE_NAME%' } },
];
const everything = {
  virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'c1' } }] }],
};
/** Fields that connection managers add, whatever the route. */
const OF_EVERY_REQUEST = new Set([
  'host',
  'x-request-id',
  'x-forwarded-proto',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-internal',
  'content-length',
]);

const MANAGERS: Readonly<Record<Property, fc.Arbitrary<object>>> = {
  rbac: rbac.map((rules) => ({
    routeConfig: { ...everything, responseHeadersToAdd: mark },
    httpFilters: [
      { name: 'envoy.filters.http.rbac', typedConfig: { '@type': `${FILTERS}.rbac.v3.RBAC`, rules } },
      router,
    ],
    localReplyConfig: {
      mappers: [
        {
          filter: { statusCodeFilter: { comparison: { op: 'GE', value: { defaultValue: 0, runtimeKey: 'k' } } } },
          headersToAdd: [{ header: { key: 'x-details', value: '%RESPONSE_CODE_DETAILS%' } }],
        },
      ],
    },
  })),
  routes: routeTable.map((config) => ({
    routeConfig: { ...config, responseHeadersToAdd: mark },
    httpFilters: [router],
  })),
};

/** Compares `tables` configurations on `perTable` requests each; gives every pair on which not all agree. */
export async function comparePairs(
  property: Property,
  seed: number,
  tables: number,
  perTable: number,
): Promise<readonly Pair[]> {
  const managers = fc.sample(MANAGERS[property], { seed, numRuns: tables });
  const requests = fc.sample(anyRequest, { seed: seed + 1, numRuns: tables * perTable });
  const programs = managers.map(compile);
  const envoy = await startOracle(managers, CLUSTERS, startEnvoy);
  try {
    const proxy = await startOracle(managers, CLUSTERS, startProxy);
    try {
      const apart: Pair[] = [];
      for (const [i, request] of requests.entries()) {
        const index = Math.floor(i / perTable);
        const pair: Pair = {
          manager: managers[index]!,
          request,
          envoy: await observed(envoy, index, request),
          proxy: await observed(proxy, index, request),
          evaluation: await evaluated(programs[index]!, request, envoy.ports[index]!),
        };
        const [a, b, c] = [pair.envoy, pair.proxy, pair.evaluation].map((one) => JSON.stringify(one));
        if (a !== b || a !== c) apart.push(pair);
      }
      return apart;
    } finally {
      await proxy.stop();
    }
  } finally {
    await envoy.stop();
  }
}

function compile(manager: object): HcmProgram {
  const typedConfig = { '@type': HCM, statPrefix: 's', ...manager };
  const compiled = compileListener(
    {
      name: 'l',
      address: { socketAddress: { address: '127.0.0.1', portValue: 1 } },
      filterChains: [{ filters: [{ name: 'h', typedConfig }] }],
    },
    testDeps,
  );
  const filter = compiled.program?.chains[0]?.filters[0];
  if (filter?.kind !== 'http_connection_manager')
    throw new Error(`a generated configuration was refused: ${JSON.stringify(compiled.nacks)}`);
  return filter.hcm;
}

type Fields = readonly (readonly [string, string])[];
const valueOf = (fields: Fields, name: string): string | undefined => fields.find(([key]) => key === name)?.[1];

/** What the upstream is sent, without what every request gets. */
function forwarded(cluster: string, route: string, target: string, host: string, fields: Fields): object {
  return {
    cluster,
    route,
    target,
    host,
    fields: fields.filter(([key]) => !OF_EVERY_REQUEST.has(key)).map(([key, value]) => `${key}: ${value}`),
  };
}

async function observed(oracle: Oracle, index: number, request: string): Promise<object> {
  const { line, fields } = read(request);
  const [method, path, authority] = line;
  const length = method === 'GET' ? '' : 'content-length: 0\r\n';
  const text = fields.map((field) => `${field}\r\n`).join('');
  const seen = await oracle.ask(index, `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n${text}${length}\r\n`);
  const { status, headers, upstream } = seen;
  const route = valueOf(headers, 'x-route') ?? '';
  if (upstream !== undefined) {
    const host = valueOf(upstream.headers, 'host') ?? '';
    return forwarded(valueOf(headers, 'x-used') ?? '', route, upstream.target, host, upstream.headers);
  }
  return answered(status, route, valueOf(headers, 'x-details') ?? '', valueOf(headers, 'location') ?? '');
}

function answered(status: number, route: string, details: string, location: string): object {
  return { status, route, details, location };
}

async function evaluated(hcm: HcmProgram, text: string, localPort: number): Promise<object> {
  if (hcm.routes.kind !== 'inline') throw new Error('routes are inline');
  const { line, fields } = read(text);
  const [method, path, authority] = line;
  const headers = new Headers();
  for (const field of fields) {
    const key = field.slice(0, field.indexOf(':'));
    const value = field.slice(field.indexOf(':') + 1).trim();
    if (key === 'user-agent' && headers.has(key)) headers.append(key, value);
    else headers.add(key, value);
  }
  const request: RequestHead = { method, path, authority, scheme: 'http', headers };
  const connection: ConnectionInfo = {
    id: 1,
    directRemoteAddress: '127.0.0.1',
    remotePort: 1,
    localAddress: '127.0.0.1',
    localPort,
    tls: undefined,
    requestedServerName: '',
    applicationProtocol: '',
  };
  const stream = new OfflineStream(request, connection, hcm.routes.config, testDeps.random);
  if (!(await stream.runFilters(hcm.filters))) {
    const { status = 0, details = '' } = stream.reply ?? {};
    return answered(status, '', details, '');
  }
  const decision = stream.route();
  switch (decision.kind) {
    case 'none':
      return answered(404, '', '', '');
    case 'direct':
      return answered(decision.status, decision.route.name, '', '');
    case 'redirect':
      return answered(decision.status, decision.route.name, '', decision.location);
    case 'cluster': {
      decision.route.rewriteRequest(request, stream, decision.weighted);
      const { flat } = headers;
      const pairs: [string, string][] = [];
      for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!]);
      return forwarded(decision.cluster, decision.route.name, request.path, request.authority, pairs);
    }
  }
}

function read(request: string): { line: [string, string, string]; fields: readonly string[] } {
  const [first = '', ...fields] = request.split('\n');
  const [method = '', path = '', authority = ''] = first.split(' ');
  return { line: [method, path, authority], fields };
}
