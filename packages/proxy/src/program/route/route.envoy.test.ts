/** Routing is compared with the real Envoy: the same configuration, the same request, what the upstream got. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Headers } from '../../http/headers.ts';
import type { ConnectionInfo, RequestHead } from '../../types.ts';
import { OfflineStream } from '../offline-stream.ts';
import { testDeps } from '../testing/deps.ts';
import { startOracle, type Observation, type Oracle } from '../testing/oracle.ts';
import { CASES, CLUSTERS, MARKS, type Ask } from '../testing/route-cases.ts';
import type { RouteConfigProgram } from '../types.ts';
import { compileRouteConfiguration } from './compile.ts';

/** Fields that the connection manager and the router add, not the route. */
const NOT_THE_ROUTES = new Set([
  'host',
  'x-forwarded-proto',
  'x-request-id',
  'x-envoy-expected-rq-timeout-ms',
  'content-length',
  'connection',
]);

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle(
    CASES.map(({ config }) => ({
      routeConfig: { name: 'r', ...config, responseHeadersToAdd: MARKS },
      httpFilters: [
        {
          name: 'router',
          typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
        },
      ],
      upgradeConfigs: [{ upgradeType: 'CONNECT' }],
    })),
    CLUSTERS,
  );
}, 30_000);
afterAll(() => oracle.stop());

function parseAsk(ask: Ask): { readonly raw: string; readonly request: RequestHead } {
  const [line = '', ...fields] = ask.split('\n');
  const [method = '', path = '', authority = ''] = line.split(' ');
  const headers = new Headers();
  for (const field of fields)
    headers.add(field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim());
  const proto = headers.get('x-forwarded-proto') ?? 'http';
  headers.set('x-forwarded-proto', proto);
  return {
    raw: `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n${fields.map((field) => `${field}\r\n`).join('')}${method === 'POST' ? 'content-length: 0\r\n' : ''}\r\n`,
    request: { method, path, authority, scheme: proto, headers },
  };
}

const connection = {
  directRemoteAddress: '127.0.0.1',
  remotePort: 1,
  localAddress: '127.0.0.1',
  localPort: 2,
  tls: undefined,
  requestedServerName: '',
  applicationProtocol: '',
  id: 1,
} satisfies ConnectionInfo;

function ours(program: RouteConfigProgram, request: RequestHead): Partial<Observation> & { cluster?: string } {
  const stream = new OfflineStream(request, connection, program, testDeps.random);
  const decision = stream.route();
  switch (decision.kind) {
    case 'none':
      return { status: 404 };
    case 'redirect':
      return { status: decision.status, headers: [['location', decision.location]] };
    case 'direct':
      return { status: decision.status, body: decision.body };
    case 'cluster': {
      decision.route.rewriteRequest(request, stream, decision.weighted);
      const headers: [string, string][] = [];
      for (let i = 0; i < request.headers.flat.length; i += 2)
        headers.push([request.headers.flat[i]!, request.headers.flat[i + 1]!]);
      return {
        status: 200,
        cluster: decision.cluster,
        upstream: { target: request.path, headers: [['host', request.authority], ...headers] },
      };
    }
  }
}

function pick(headers: readonly (readonly [string, string])[]): string[] {
  const host_ = headers.filter(([name]) => name === 'host').map(([, value]) => `host: ${value}`);
  return [
    ...host_,
    ...headers.filter(([name]) => !NOT_THE_ROUTES.has(name)).map(([name, value]) => `${name}: ${value}`),
  ];
}

describe.each(CASES.map((one, index) => ({ ...one, index })))('$name', ({ config, ask, index }) => {
  const compiled = compileRouteConfiguration({ name: 'r', ...config, responseHeadersToAdd: MARKS }, testDeps);
  test('compiles', () => expect(compiled.nacks).toBeUndefined());

  test.each(ask)('%s', async (one) => {
    const { raw, request } = parseAsk(one);
    const theirs = await oracle.ask(index, raw);
    const mine = ours(compiled.program!, request);
    expect(mine.status).toBe(theirs.status);
    if (mine.body !== undefined) expect(mine.body).toBe(theirs.body);
    if (mine.headers !== undefined)
      expect(mine.headers[0]![1]).toBe(theirs.headers.find(([name]) => name === 'location')?.[1]);
    if (mine.cluster === undefined) return;
    expect(mine.cluster).toBe(theirs.headers.find(([name]) => name === 'x-cluster-used')?.[1]);
    expect(mine.upstream!.target).toBe(theirs.upstream!.target);
    expect(pick(mine.upstream!.headers)).toEqual(pick(theirs.upstream!.headers));
  });
});
