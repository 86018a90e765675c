/** Traces beside real Envoy: the same configuration and requests, and what upstreams, clients and collectors see. */
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { ask, fetchText, HTTP2, startRaw, TYPE } from '../../filter/testing/beside.ts';
import { startWithAdmin } from '../../process/testing/standalone.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../../process/testing/bootstraps.ts';
import { startCollector, type Collector, type SeenSpan } from './collector.ts';

export interface TraceCase {
  readonly name: string;
  readonly direction?: 'INBOUND' | 'OUTBOUND';
  readonly tracing?: object;
  /** Absent: the case’s own, which posts to Zipkin. */
  readonly zipkin?: object;
  readonly otel?: object;
  readonly grpc?: boolean;
  /** In place of all of them; null: none. */
  readonly provider?: object | null;
  readonly route?: object;
  readonly routes?: readonly object[];
  readonly more?: object;
  readonly router?: object;
  readonly filters?: readonly object[];
  readonly ask: readonly string[];
}

export interface TraceSeen {
  readonly answers: Readonly<Record<string, readonly string[]>>;
  /** How many spans there were, by case and question. */
  readonly counts: readonly (readonly number[])[];
  readonly stats: readonly string[];
}

export const ID = '00000001-0000-4000-8000-000000000001';

export function request(path: string, ...fields: readonly string[]): string {
  const id = fields.some((field) => /^x-request-id:/i.test(field)) ? [] : [`x-request-id: ${ID}`];
  return [`GET ${path} HTTP/1.1`, 'host: h', 'connection: close', ...id, ...fields, '', ''].join('\r\n');
}

const ROUTER = 'envoy.extensions.filters.http.router.v3.Router';
/** Of the upstream: header `x-say` of a request is what it answers; `slow`: late. */
const UPSTREAM = async (text: string): Promise<string> => {
  const say = /\r\nx-say: ([^\r]*)/i.exec(text)?.[1] ?? '';
  if (say === 'hang up') return '';
  if (say === 'slow') await wait(600);
  const status = /^\d+/.exec(say)?.[0] ?? '200';
  const fields = say
    .split('|')
    .slice(1)
    .map((field) => `${field}\r\n`)
    .join('');
  const kept = text
    .split('\r\n')
    .filter((line) => /^(?:x-b3|b3|trace|x-request-id|x-envoy-decorator|x-client-trace|x-envoy-force)/i.test(line));
  const body = `SAW ${kept.toSorted().join(' ; ')}`;
  return `HTTP/1.1 ${status} X\r\ncontent-length: ${body.length}\r\n${fields}\r\n${body}`;
};

const NODE = { id: 'tester', cluster: 'testers', locality: { zone: 'zone-1' } };

/** `node`: what the proxies are. */
export async function observeTraces(
  cases: readonly TraceCase[],
  node: object = NODE,
): Promise<{ theirs: TraceSeen; ours: TraceSeen }> {
  const theirs = await observe(cases, node, async (config) => {
    const envoy = await startEnvoy(config);
    return { ...envoy, admin: envoy.adminPort };
  });
  return { theirs, ours: await observe(cases, node, startWithAdmin, theirs) };
}

async function observe(
  cases: readonly TraceCase[],
  node: object,
  start: (config: object) => Promise<{ output(): string; stop(): Promise<void>; readonly admin: number }>,
  others?: TraceSeen,
): Promise<TraceSeen> {
  const up = await startRaw(UPSTREAM);
  const collector = await startCollector();
  const ports: number[] = [];
  for (const _ of cases) ports.push(await freePort());
  const closed = await freePort();
  const listeners = cases.map((one, i) => {
    const routes = one.routes ?? [{ ...routeTo('up'), ...one.route }];
    const provider = one.provider === null ? {} : { provider: one.provider ?? providerOf(one, i) };
    const manager = hcm(routes, {
      statPrefix: `c${i}`,
      ...(one.tracing === undefined && one.provider === null ? {} : { tracing: { ...provider, ...one.tracing } }),
      httpFilters: [
        ...(one.filters ?? []),
        { name: 'router', typedConfig: { '@type': `${TYPE}${ROUTER}`, ...one.router } },
      ],
      ...one.more,
    });
    return listener(ports[i]!, [{ filters: [manager] }], { trafficDirection: one.direction ?? 'OUTBOUND' });
  });
  const clusters = [
    staticCluster('up', [up.port]),
    staticCluster('named', [up.port], { altStatName: 'called;' }),
    staticCluster('closed', [closed]),
    staticCluster('nobody', []),
    staticCluster('collector', [collector.httpPort]),
    staticCluster('grpc-collector', [collector.grpcPort], HTTP2),
  ];
  const config = {
    ...bootstrap(listeners, clusters),
    node,
    tracing: { http: zipkin('/default', {}) },
    layeredRuntime: {
      layers: [
        {
          name: 'static',
          staticLayer: { 'tracing.zipkin.min_flush_spans': 1, 'tracing.opentelemetry.min_flush_spans': 1 },
        },
      ],
    },
  };
  const proxy = await start(config);
  try {
    const answers: Record<string, string[]> = {};
    const counts: number[][] = [];
    for (const [i, one] of cases.entries()) {
      const own: string[] = [];
      const counted: number[] = [];
      counts.push(counted);
      for (const [k, question] of one.ask.entries()) {
        const answer = await ask(ports[i]!, question);
        const due = /x-b3-sampled: 1|b3: \S+-1|traceparent: \S+-01 ;/.test(answer);
        // Not all that are told of a trace leave one; what the other left is certain.
        if (others === undefined) await settle(collector, due ? 1 : 0, 80);
        else await settle(collector, others.counts[i]![k]!, 800);
        counted.push(countOf(collector));
        own.push(tell(answer, spansOf(collector), { [up.port]: 'UP', [closed]: 'CLOSED', [ports[i]!]: 'PORT' }));
        collector.spans.clear();
      }
      const resource = collector.resources.get(`/c${i}`) ?? collector.resources.get(`c${i}`) ?? '';
      // Each says itself what it is.
      answers[one.name] = [...own, resource.replaceAll(/(?<=telemetry\.sdk\..*=).*/g, 'SDK')];
    }
    const text = await fetchText(proxy.admin, '/stats?filter=tracing');
    const stats = text.split('\n').filter((line) => line !== '' && !/timer_flushed|reports_dropped_batch/.test(line));
    return { answers, counts, stats };
  } finally {
    await proxy.stop();
    await collector.stop();
    await up.stop();
  }
}

const spansOf = (collector: Collector): SeenSpan[] => [...collector.spans.values()].flat();
const countOf = (collector: Collector): number => spansOf(collector).length;

/** Until no more spans come; for a while, until so many have. */
async function settle(collector: Collector, due: number, atMost: number): Promise<void> {
  let last = 0;
  for (let quiet = 0, turns = 0; quiet < 3 || (last < due && turns < atMost); turns++) {
    await wait(25);
    const now = countOf(collector);
    quiet = now === last ? quiet + 1 : 0;
    last = now;
  }
}

export function zipkin(path: string, more: object): object {
  return {
    name: 'envoy.tracers.zipkin',
    typedConfig: {
      '@type': `${TYPE}envoy.config.trace.v3.ZipkinConfig`,
      collectorCluster: 'collector',
      collectorEndpoint: path,
      collectorEndpointVersion: 'HTTP_JSON',
      ...more,
    },
  };
}

function providerOf(one: TraceCase, i: number): object {
  if (one.otel === undefined) return zipkin(`/c${i}`, one.zipkin ?? {});
  const service =
    one.grpc === true
      ? {
          grpcService: {
            envoyGrpc: { clusterName: 'grpc-collector' },
            initialMetadata: [{ key: 'x-case', value: `c${i}` }],
          },
        }
      : { httpService: { httpUri: { uri: `http://collector/c${i}`, cluster: 'collector', timeout: '1s' } } };
  return {
    name: 'envoy.tracers.opentelemetry',
    typedConfig: { '@type': `${TYPE}envoy.config.trace.v3.OpenTelemetryConfig`, ...service, ...one.otel },
  };
}

/** What came of one request in words that are the same each time: ids are numbered, times left out. */
function tell(answer: string, spans: readonly SeenSpan[], ports: Readonly<Record<string, string>>): string {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const fields = head.split('\r\n').filter((line) => /^HTTP|^x-envoy-decorator|^x-request-id/.test(line));
  const order = [...spans].toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  for (const { duration, start } of spans)
    if (duration < 0 || Math.abs(start / 1000 - performance.timeOrigin - performance.now()) > 20_000)
      throw new Error(`odd times: ${start}+${duration}`);
  let text = [
    ...fields,
    body,
    ...order.map(({ start: _start, duration: _duration, ...span }) => JSON.stringify(span, undefined, 1)),
  ].join('\n');
  for (const [port, name] of Object.entries(ports)) text = text.replaceAll(`:${port}`, `:${name}`);
  const ids = new Map<string, string>();
  const number = (id: string): string => {
    if (!ids.has(id)) ids.set(id, `ID${ids.size}`);
    return ids.get(id)!;
  };
  const known =
    /^(?:463ac35c9f6413ad|a2fb4a1d1a96d312|0020000000000001|48485a3953bb6124|0af7651916cd43dd8448eb211c80319c|b7ad6b7169203331)/;
  return text.replaceAll(/\b[0-9a-f]{32}\b|\b[0-9a-f]{16}\b/g, (id) =>
    known.test(id) ? id : id.length === 32 ? `${number(id.slice(0, 16))}+${number(id.slice(16))}` : number(id),
  );
}

function sortKey({ kind, name, tags }: SeenSpan): string {
  return `${kind} ${name} ${JSON.stringify(tags)}`;
}
