import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startEnvoy, type RunningEnvoy } from '@mizzen/testkit';
import { flagNames } from '../../telemetry/access-log-flags.ts';
import { RetryOn } from '../retry.ts';
import { RETRY, routeTo, startTestServer, TestCluster, type TestServer } from '../test-server.ts';
import type { AccessLogProgram } from '../../program/types.ts';
import type { RequestHead, RouteDecision } from '../../types.ts';
import { startBackend, type Backend } from './backend.ts';
import { bootstrap } from './bootstrap.ts';
import { CASES, type Case } from './cases.ts';
import { play, type Answer } from './client.ts';

let backend: Backend;
let envoy: RunningEnvoy;
let ours: TestServer;
const theirAnswers = new Map<Case, Answer>();
const ourAnswers = new Map<Case, Answer>();
let theirLog: ReadonlyMap<number, string[]>;
let ourLog: ReadonlyMap<number, string[]>;

beforeAll(async () => {
  backend = await startBackend();
  const dead = await freePort();
  const envoyPort = await freePort();
  envoy = await startEnvoy(bootstrap(envoyPort, backend.port, dead));
  ours = await startOurs(backend.port, dead);
  await playAll(envoyPort, theirAnswers);
  await playAll(ours.port, ourAnswers);
  await envoy.stop();
  theirLog = byPort(envoy.output().split('\n'));
  ourLog = byPort(ours.log.map((line) => line.trimEnd()));
}, 120_000);

afterAll(async () => {
  await ours.stop();
  await backend.stop();
});

/** A few at a time, so that timing means the same to both. */
async function playAll(port: number, answers: Map<Case, Answer>): Promise<void> {
  const waiting = [...CASES];
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        answers.set(next, await play(port, next));
      }
    }),
  );
}

function byPort(lines: readonly string[]): Map<number, string[]> {
  const map = new Map<number, string[]>();
  for (const line of lines) {
    const parts = /^LOG (\d+) (.*)$/.exec(line);
    if (parts === null) continue;
    const port = Number(parts[1]);
    map.set(port, [...(map.get(port) ?? []), parts[2]!]);
  }
  return map;
}

/** What may differ from run to run is taken out. */
function normalize(text: string): string {
  return text
    .replaceAll(/date: \w{3}, \d\d [^\r]*/g, 'date: DATE')
    .replaceAll(/x-request-id: [0-9a-f-]{36}/g, 'x-request-id: ID')
    .replaceAll(/x-envoy-upstream-service-time: \d+/g, 'x-envoy-upstream-service-time: N');
}

/** Response flags are a set. */
function normalizeLog(line: string): string {
  const parts = line.split(' ');
  const flags = parts.findIndex((part, i) => i >= 4 && /^[A-Z]+(,[A-Z]+)+$/.test(part));
  if (flags >= 0) parts[flags] = parts[flags]!.split(',').toSorted().join(',');
  return parts.join(' ');
}

describe('the same bytes are answered as Envoy answers them', () => {
  test.each(CASES.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    const theirs = theirAnswers.get(one)!;
    const our = ourAnswers.get(one)!;
    if (one.differs?.what === 'all') return;
    expect(normalize(our.text)).toBe(normalize(theirs.text));
    if (one.differs?.what !== 'closed') expect(our.closed).toBe(theirs.closed);
    if (one.differs?.what === 'log') return;
    const log = (lines: readonly string[] | undefined): string[] => (lines ?? []).map(normalizeLog);
    expect(log(ourLog.get(our.port))).toEqual(log(theirLog.get(theirs.port)));
  });
});

// ---- this proxy with the configuration of bootstrap.ts

const CONNECT = new Map([['connect', { enabled: true, terminateConnect: true }]]);
const LOG: AccessLogProgram = {
  path: '-',
  shouldLog: undefined,
  format: ({ info, request }) =>
    `LOG ${[
      info.connection.remotePort,
      request?.method || '-',
      request?.path || '-',
      info.protocol,
      info.responseCode,
      flagNames(info.responseFlags) ?? '-',
      info.responseCodeDetails || '-',
      info.bytesReceived,
      info.bytesSent,
      info.attemptCount,
      info.upstreamCluster || '-',
    ].join(' ')}\n`,
};

function startOurs(backendPort: number, dead: number): Promise<TestServer> {
  const host = {
    name: 'all',
    perFilter: new Map(),
    includeRequestAttemptCount: true,
    includeAttemptCountInResponse: false,
  };
  const entry = { virtualHost: host };
  const to = (cluster: string, action: Parameters<typeof routeTo>[1] = {}): RouteDecision =>
    routeTo(cluster, action, entry);
  const plain = to('b');
  const table: [string, RouteDecision | ((request: RequestHead) => RouteDecision)][] = [
    ['/dead', to('dead')],
    ['/retry-dead', to('dead', { retry: { ...RETRY, on: RetryOn['connect-failure'], numRetries: 2 } })],
    ['/empty', to('empty')],
    ['/nocluster', to('nope')],
    ['/over', to('over')],
    [
      '/redirect',
      (request) => ({
        kind: 'redirect',
        route: routeOf(to('b')),
        status: 301,
        location: `https://${request.authority}/foo${request.path.slice('/redirect'.length)}`,
      }),
    ],
    ['/direct-empty', { kind: 'direct', route: routeOf(plain), status: 200, body: '' }],
    [
      '/direct',
      {
        kind: 'direct',
        route: { ...routeOf(plain), rewriteResponse: (response) => response.headers.add('x-a', 'b') },
        status: 418,
        body: 'teapot',
      },
    ],
    ['/hang/timeout', to('b', { timeout: 200 })],
    ['/partial/timeout', to('b', { timeout: 200 })],
    ['/hang/try', to('b', { timeout: 700, retry: { ...RETRY, on: RetryOn['5xx'], perTryTimeout: 100 } })],
    ['/hang/idle', to('b', { idleTimeout: 200 })],
    ['/hang/duration', to('b', { maxStreamDuration: 200 })],
    [
      '/status',
      to('b', { retry: { ...RETRY, on: RetryOn['gateway-error'] | RetryOn['retriable-4xx'], numRetries: 2 } }),
    ],
    ['/reset/retry', to('b', { retry: { ...RETRY, on: RetryOn.reset, numRetries: 2 } })],
    [
      '/prefix',
      routeTo(
        'b',
        { timeout: 0 },
        {
          virtualHost: host,
          rewriteRequest: (request) => {
            request.headers.remove('x-gone');
            request.headers.add('x-a', 'b');
            request.headers.add('x-envoy-original-host', request.authority);
            request.headers.add('x-envoy-original-path', request.path);
            request.authority = 'foo';
            request.path = `/x${request.path.slice('/prefix'.length)}`;
          },
          rewriteResponse: (response) => response.headers.add('x-r', 'b'),
        },
      ),
    ],
    ['/nothing', { kind: 'none', virtualHost: host }],
  ];
  return startTestServer({
    clusters: [
      new TestCluster('b', [backendPort], { maxRetries: 100 }),
      new TestCluster('dead', [dead]),
      new TestCluster('empty', []),
      new TestCluster('over', [backendPort], { maxPendingRequests: 0 }),
    ],
    find: (request) => {
      if (request.method === 'CONNECT') return to('b', { upgrades: CONNECT });
      const found = table.find(([prefix]) => request.path.startsWith(prefix))?.[1] ?? plain;
      return typeof found === 'function' ? found(request) : found;
    },
    program: {
      accessLogs: [LOG],
      upgrades: new Map([
        ['websocket', { enabled: true, filters: undefined }],
        ['connect', { enabled: true, filters: undefined }],
      ]),
    },
  });
}

function routeOf(decision: RouteDecision): Extract<RouteDecision, { kind: 'direct' }>['route'] {
  if (decision.kind === 'none') throw new Error('no route');
  return decision.route;
}
