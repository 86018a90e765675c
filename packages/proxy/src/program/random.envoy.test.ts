/**
 * Random authorization policies and route tables decide as in the real Envoy. RANDOM_TABLES and RANDOM_REQUESTS make it
 * longer, RANDOM_SEED other.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Headers } from '../http/headers.ts';
import type { ConnectionInfo, RequestHead } from '../types.ts';
import { compileListener } from './listener/compile.ts';
import { OfflineStream } from './offline-stream.ts';
import { rbac, request as anyRequest, routeTable } from './testing/arbitrary.ts';
import { testDeps } from './testing/deps.ts';
import { startOracle, type Oracle } from './testing/oracle.ts';
import type { HcmProgram } from './types.ts';

const seed = Number(process.env.RANDOM_SEED ?? 1);
const tables = Number(process.env.RANDOM_TABLES ?? 20);
const perTable = Number(process.env.RANDOM_REQUESTS ?? 12);
const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number, offset: number): T[] =>
  fc.sample(arbitrary, { seed: seed * 1000 + offset, numRuns: count });

const http = 'type.googleapis.com/envoy.extensions.filters.http';
const router = { name: 'router', typedConfig: { '@type': `${http}.router.v3.Router` } };
const mark = [{ header: { key: 'x-used', value: '%UPSTREAM_CLUSTER%' } }];
const everything = {
  virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'c1' } }] }],
};

const managers: object[] = [
  ...sample(rbac, tables, 1).map((rules) => ({
    routeConfig: everything,
    httpFilters: [{ name: 'envoy.filters.http.rbac', typedConfig: { '@type': `${http}.rbac.v3.RBAC`, rules } }, router],
    localReplyConfig: {
      mappers: [
        {
          filter: { statusCodeFilter: { comparison: { op: 'GE', value: { defaultValue: 0, runtimeKey: 'k' } } } },
          headersToAdd: [{ header: { key: 'x-details', value: '%RESPONSE_CODE_DETAILS%' } }],
        },
      ],
    },
  })),
  ...sample(routeTable, tables, 2).map((config) => ({
    routeConfig: { ...config, responseHeadersToAdd: mark },
    httpFilters: [router],
  })),
];
const requests = sample(anyRequest, managers.length * perTable, 3);

let oracle: Oracle;
let programs: HcmProgram[];
beforeAll(async () => {
  oracle = await startOracle(managers, ['c1', 'c2', 'c3']);
  programs = managers.map((manager) => {
    const compiled = compileListener(
      {
        name: 'l',
        address: { socketAddress: { address: '127.0.0.1', portValue: 1 } },
        filterChains: [
          {
            filters: [
              {
                name: 'h',
                typedConfig: {
                  '@type':
                    'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                  statPrefix: 's',
                  ...manager,
                },
              },
            ],
          },
        ],
      },
      testDeps,
    );
    expect(compiled.nacks).toBeUndefined();
    const [filter] = compiled.program!.chains[0]!.filters;
    if (filter?.kind !== 'http_connection_manager') throw new Error('no connection manager');
    return filter.hcm;
  });
}, 60_000);
afterAll(() => oracle.stop());

async function ours(hcm: HcmProgram, request: RequestHead, localPort: number): Promise<object> {
  if (hcm.routes.kind !== 'inline') throw new Error('no routes');
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
  if (!(await stream.runFilters(hcm.filters))) return { status: stream.reply?.status, details: stream.reply?.details };
  const decision = stream.route();
  switch (decision.kind) {
    case 'none':
      return { status: 404 };
    case 'direct':
      return { status: decision.status };
    case 'redirect':
      return { status: decision.status, location: decision.location };
    case 'cluster':
      decision.route.rewriteRequest(request, stream, decision.weighted);
      return { status: 200, cluster: decision.cluster, target: request.path, host: request.authority };
  }
}

async function theirs(index: number, raw: string): Promise<object> {
  const seen = await oracle.ask(index, raw);
  const value = (headers: readonly (readonly [string, string])[], name: string): string | undefined =>
    headers.find(([n]) => n === name)?.[1];
  if (seen.upstream !== undefined) {
    return {
      status: seen.status,
      cluster: value(seen.headers, 'x-used') ?? 'c1',
      target: seen.upstream.target,
      host: value(seen.upstream.headers, 'host'),
    };
  }
  const details = value(seen.headers, 'x-details');
  const location = value(seen.headers, 'location');
  return {
    status: seen.status,
    ...(details === undefined ? {} : { details }),
    ...(location === undefined ? {} : { location }),
  };
}

describe.each(managers.map((_, index) => index))(`seed ${seed}, %i`, (index) => {
  test.each(requests.slice(index * perTable, (index + 1) * perTable))('%s', async (text) => {
    const [line = '', ...fields] = text.split('\n');
    const [method = '', path = '', authority = ''] = line.split(' ');
    const headers = new Headers();
    for (const field of fields) {
      const key = field.slice(0, field.indexOf(':'));
      const value = field.slice(field.indexOf(':') + 1).trim();
      if (key === 'user-agent' && headers.has(key)) headers.append(key, value);
      else headers.add(key, value);
    }
    const raw = `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n${fields.map((field) => `${field}\r\n`).join('')}${method === 'GET' ? '' : 'content-length: 0\r\n'}\r\n`;
    const expected = await theirs(index, raw);
    const hcm = programs[index]!;
    const made = await ours(hcm, { method, path, authority, scheme: 'http', headers }, oracle.ports[index]!);
    expect(made, JSON.stringify(managers[index])).toEqual(expected);
  });
});
