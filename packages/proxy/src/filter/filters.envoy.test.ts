/** Filters are compared with the real Envoy: status, body, headers, details and flags of what they answer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Headers } from '../http/headers.ts';
import { compileListener } from '../program/listener/compile.ts';
import { OfflineStream } from '../program/offline-stream.ts';
import { testDeps } from '../program/testing/deps.ts';
import { startOracle, type Oracle } from '../program/testing/oracle.ts';
import type { HcmProgram } from '../program/types.ts';
import { flagNames } from '../telemetry/access-log-flags.ts';
import type { ConnectionInfo, RequestHead } from '../types.ts';
import { JWT_CASES } from './testing/cases/jwt.ts';
import { RBAC_CASES } from './testing/cases/rbac.ts';
import { WEB_CASES } from './testing/cases/web.ts';

const CASES = [...RBAC_CASES, ...JWT_CASES, ...WEB_CASES];

const manager = (one: (typeof CASES)[number]): object => ({
  statPrefix: 'test',
  useRemoteAddress: false,
  localReplyConfig: {
    mappers: [
      {
        filter: { statusCodeFilter: { comparison: { op: 'GE', value: { defaultValue: 0, runtimeKey: 'x' } } } },
        headersToAdd: [
          { header: { key: 'x-details', value: '%RESPONSE_CODE_DETAILS%' } },
          { header: { key: 'x-flags', value: '%RESPONSE_FLAGS%' } },
        ],
      },
    ],
  },
  routeConfig: {
    name: 'r',
    virtualHosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [{ match: { prefix: '/' }, route: { cluster: 'up' }, typedPerFilterConfig: one.perRoute }],
      },
    ],
  },
  httpFilters: [
    ...one.filters.map((f, i, all) =>
      all.length > 1 && i > 0 && JSON.stringify(all[0]).includes((f as { name: string }).name)
        ? { ...f, name: `${(f as { name: string }).name}-${i}` }
        : f,
    ),
    { name: 'router', typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' } },
  ],
});

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle(CASES.map(manager), ['up']);
}, 30_000);
afterAll(() => oracle.stop());

const deps = { ...testDeps, clock: { ...testDeps.clock, wall: () => Date.now() } };

function program(index: number): HcmProgram {
  const compiled = compileListener(
    {
      name: 'l',
      address: { socketAddress: { address: '127.0.0.1', portValue: 1 } },
      filterChains: [
        {
          filters: [
            {
              name: 'hcm',
              typedConfig: {
                '@type':
                  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                ...manager(CASES[index]!),
              },
            },
          ],
        },
      ],
    },
    deps,
  );
  expect(compiled.nacks).toBeUndefined();
  const [only] = compiled.program!.chains[0]!.filters;
  if (only?.kind !== 'http_connection_manager') throw new Error('no connection manager');
  return only.hcm;
}

/** Fields that the connection manager, the router or the upstream make. */
const NOT_FILTERS = new Set([
  'content-length',
  'content-type',
  'date',
  'server',
  'x-envoy-upstream-service-time',
  'x-echo',
  'connection',
  'x-details',
  'x-flags',
]);

describe.each(CASES.map((one, index) => ({ ...one, index })))('$name', ({ ask, index }) => {
  const hcm = program(index);
  test.each(
    ask.map(
      (text, n) => [`${n} ${text.length > 90 ? `${text.slice(0, 60)}…${text.slice(-20)}` : text}`, text] as const,
    ),
  )('%s', async (_, text) => {
    const [line = '', ...fields] = text.split('\n');
    const [method = '', target = '', authority = ''] = line.split(' ');
    const headers = new Headers();
    for (const field of fields)
      headers.add(field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim());
    const theirs = await oracle.ask(
      index,
      `${method} ${target} HTTP/1.1\r\nhost: ${authority}\r\n${fields.map((field) => `${field}\r\n`).join('')}${method === 'POST' ? 'content-length: 0\r\n' : ''}\r\n`,
    );

    const request: RequestHead = { method, path: target, authority, scheme: 'http', headers };
    const connection: ConnectionInfo = {
      id: 1,
      directRemoteAddress: '127.0.0.1',
      remotePort: 1,
      localAddress: '127.0.0.1',
      localPort: oracle.ports[index]!,
      tls: undefined,
      requestedServerName: '',
      applicationProtocol: '',
    };
    if (hcm.routes.kind !== 'inline') throw new Error('no routes');
    const stream = new OfflineStream(request, connection, hcm.routes.config, testDeps.random);
    const through = await stream.runFilters(hcm.filters);
    stream.response = {
      status: stream.reply?.status ?? 200,
      headers: new Headers((stream.reply?.headers ?? []).flat()),
    };
    for (const one of hcm.filters.toReversed()) void one.onResponse?.(stream);

    expect({ answered: !through, status: stream.reply?.status ?? 200, body: stream.reply?.body ?? '' }).toEqual({
      answered: theirs.upstream === undefined,
      status: theirs.status,
      body: theirs.body,
    });
    const value = (name: string): string | undefined => theirs.headers.find(([n]) => n === name)?.[1];
    if (stream.reply !== undefined && !stream.reply.details.startsWith('cors')) {
      expect({ details: stream.reply.details, flags: flagNames(stream.reply.flags) ?? '-' }).toEqual({
        details: value('x-details'),
        flags: value('x-flags'),
      });
    }
    const flat: string[] = [];
    for (let i = 0; i < stream.response.headers.flat.length; i += 2)
      flat.push(`${stream.response.headers.flat[i]}: ${stream.response.headers.flat[i + 1]}`);
    expect(flat.sort()).toEqual(
      theirs.headers
        .filter(([name]) => !NOT_FILTERS.has(name))
        .map(([name, v]) => `${name}: ${v}`)
        .sort(),
    );
    if (theirs.upstream === undefined) return;
    expect(request.path).toBe(theirs.upstream.target);
    const sent: string[] = [];
    for (let i = 0; i < headers.flat.length; i += 2) sent.push(`${headers.flat[i]}: ${headers.flat[i + 1]}`);
    const added = new Set([
      'host',
      'x-forwarded-proto',
      'x-request-id',
      'x-envoy-expected-rq-timeout-ms',
      'content-length',
    ]);
    expect(sent.filter((s) => !s.startsWith('content-length')).sort()).toEqual(
      theirs.upstream.headers
        .filter(([name]) => !added.has(name))
        .map(([name, v]) => `${name}: ${v}`)
        .sort(),
    );
  });
});
