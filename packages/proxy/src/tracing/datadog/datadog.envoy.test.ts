/** Datadog's traces beside real Envoy: the same requests, and what the agent, upstreams and logs see. */
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { ask, fetchText, startRaw, TYPE } from '../../filter/testing/beside.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster, stdoutLog } from '../../process/testing/bootstraps.ts';
import { startWithAdmin } from '../../process/testing/standalone.ts';
import { startAgent, type Agent, type DatadogSpanJson } from '../testing/agent.ts';

interface Case {
  readonly name: string;
  readonly direction?: 'INBOUND' | 'OUTBOUND';
  readonly tracing?: object;
  readonly datadog?: object;
  readonly route?: object;
  /** Fields of each request. */
  readonly ask: readonly (readonly string[])[];
}

const LOW = '1234567890123456789';
const PARENT = '987654321098765432';
const HIGH = '640cfd8d00000000';
const OWN = [`x-datadog-trace-id: ${LOW}`, `x-datadog-parent-id: ${PARENT}`];
const hex = (decimal: string): string => BigInt(decimal).toString(16).padStart(16, '0');
const W3C = `${HIGH}${hex(LOW)}-${hex(PARENT)}`;
const TID = `x-datadog-tags: _dd.p.tid=${HIGH}`;

const CASES: readonly Case[] = [
  ...(['INBOUND', 'OUTBOUND'] as const).flatMap((direction) =>
    [true, false].map((spawnUpstreamSpan) => ({
      name: `${direction}, with spans of attempts: ${spawnUpstreamSpan}`,
      direction,
      tracing: { spawnUpstreamSpan },
      route: { decorator: { operation: 'the operation' } },
      ask: [[], [...OWN, 'x-datadog-sampling-priority: 1'], ['x-say: 503'], ['x-say: hang up']],
    })),
  ),
  {
    name: 'what is asked by whom calls',
    ask: [
      OWN,
      ...['0', '1', '2', '-1', ' 2 ', '7', 'x', '1x', ''].map((it) => [...OWN, `x-datadog-sampling-priority: ${it}`]),
      [...OWN, 'x-datadog-origin: synthetics'],
      [OWN[0]!, 'x-datadog-origin: synthetics~=;,'],
      [OWN[0]!],
      [OWN[1]!],
      ['x-datadog-trace-id: nonsense', OWN[1]!],
      ['x-datadog-trace-id: 18446744073709551616', OWN[1]!],
      ['x-datadog-trace-id: 0', OWN[1]!],
      [OWN[0]!, 'x-datadog-parent-id: -1'],
      [OWN[0]!, 'x-datadog-parent-id: 0'],
      [...OWN, TID],
      [...OWN, `${TID},_dd.p.dm=-4,other=1,_dd.p.x=y=z`, 'x-datadog-sampling-priority: 2'],
      [...OWN, `${TID},_dd.p.dm=-4`, 'x-datadog-sampling-priority: -1'],
      [...OWN, 'x-datadog-tags: _dd.p.tid=nonsense'],
      [...OWN, 'x-datadog-tags: _dd.p.tid=0000000000000000'],
      [...OWN, 'x-datadog-tags: nonsense'],
      [...OWN, 'x-datadog-tags: _dd.p.a=b,'],
      [...OWN, `x-datadog-tags: _dd.p.a=${'b'.repeat(600)}`],
      [...OWN, `x-datadog-tags: _dd.p.a=${'b'.repeat(300)},_dd.p.b=c`],
      [...OWN, `x-datadog-tags: _dd.p.a=${'b'.repeat(502)}`],
      [...OWN, `x-datadog-tags: _dd.p.a=${'b'.repeat(503)}`],
      [...OWN, `x-datadog-tags: _dd.p.a=${'b'.repeat(504)}`],
    ],
  },
  {
    name: 'W3C',
    ask: [
      [`traceparent: 00-${W3C}-01`],
      [`traceparent: 00-${W3C}-00`],
      [`traceparent: 00-${W3C}-01`, 'tracestate: dd=s:2;o:rum;t.dm:-4;t.usr~x:a~b;p:00000000000000ab;k:v;odd,other=1'],
      [`traceparent: 00-${W3C}-00`, 'tracestate: a=1, dd=s:-1 ,b=2'],
      [`traceparent: 00-${W3C}-01`, 'tracestate: dd=s:-1'],
      [`traceparent: 00-${W3C}-00`, 'tracestate: dd=s:2'],
      [`traceparent: 00-${W3C}-01`, 'tracestate: other=1'],
      [`traceparent: 01-${W3C}-01-more`],
      [`traceparent: 00-${W3C}-01-more`],
      [`traceparent: ff-${W3C}-01`],
      [`traceparent: 00-${W3C.toUpperCase()}-01`],
      [`traceparent: 00-${'0'.repeat(32)}-${hex(PARENT)}-01`],
      [`traceparent: 00-${HIGH}${hex(LOW)}-${'0'.repeat(16)}-01`],
      ['traceparent: nonsense'],
    ],
  },
  {
    name: 'both',
    ask: [
      [...OWN, TID, `traceparent: 00-${W3C}-01`, 'tracestate: dd=s:2;k:v,other=1'],
      [...OWN, `traceparent: 00-${W3C}-01`, 'tracestate: dd=s:2;k:v,other=1'],
      [...OWN, TID, `traceparent: 00-${HIGH}${hex(LOW)}-00000000000000cd-01`, 'tracestate: dd=s:2;p:00000000000000ab'],
      [...OWN, TID, `traceparent: 00-${HIGH}${hex(LOW)}-00000000000000cd-01`],
      [...OWN, 'traceparent: nonsense'],
      ['x-datadog-trace-id: 5', OWN[1]!, `traceparent: 00-${W3C}-01`, 'tracestate: dd=s:2;k:v,other=1'],
      [...OWN, TID, 'x-datadog-sampling-priority: -1', `traceparent: 00-${W3C}-01`],
      ['x-datadog-trace-id: x', OWN[1]!, `traceparent: 00-${W3C}-01`],
      ['x-b3-traceid: 463ac35c9f6413ad', 'x-b3-spanid: a2fb4a1d1a96d312', 'x-b3-sampled: 1'],
    ],
  },
  {
    name: 'not wanted',
    tracing: { randomSampling: { value: 0 } },
    ask: [
      [],
      OWN,
      [...OWN, 'x-datadog-sampling-priority: 1'],
      [`traceparent: 00-${W3C}-01`],
      ['x-envoy-force-trace: 1'],
    ],
  },
  {
    name: 'tags that mean something, a service and a host of its own',
    datadog: { serviceName: 'named', collectorHostname: 'agent.example' },
    tracing: {
      customTags: [
        { tag: 'resource.name', literal: { value: 'a resource' } },
        { tag: 'error.reason', literal: { value: 'a reason' } },
        { tag: 'error', requestHeader: { name: 'x-error' } },
        { tag: 'own', literal: { value: 'tag' } },
      ],
      verbose: true,
    },
    ask: [[], ['x-error: true']],
  },
  {
    name: 'copies',
    tracing: { spawnUpstreamSpan: true },
    route: { route: { cluster: 'up', requestMirrorPolicies: [{ cluster: 'up', traceSampled: false }] } },
    ask: [[]],
  },
  {
    name: 'upstreams that are not told',
    tracing: { noContextPropagation: true },
    ask: [OWN],
  },
];

/** Asked once the agent has said how many traces it wants. */
const RATED: readonly (readonly string[])[] = [
  ...['1', '2', '3', '1234567890123456789', '18446744073709551615', '7777777777777777777'].map((id) => [
    `x-datadog-trace-id: ${id}`,
    OWN[1]!,
  ]),
  [...OWN, 'x-datadog-sampling-priority: 1'],
];

const UPSTREAM = async (text: string): Promise<string> => {
  const say = /\r\nx-say: ([^\r]*)/i.exec(text)?.[1] ?? '';
  if (say === 'hang up') return '';
  const kept = text.split('\r\n').filter((line) => /^(?:x-datadog|trace|x-b3|b3|baggage)/i.test(line));
  const body = `SAW ${kept.join(' ; ')}`;
  return `HTTP/1.1 ${say === '' ? '200' : say} X\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
};

interface Running {
  readonly admin: number;
  output(): string;
  stop(): Promise<void>;
}
interface Seen {
  readonly answers: Readonly<Record<string, readonly string[]>>;
  readonly heads: readonly string[];
  readonly logs: readonly string[];
  readonly stats: string;
}

async function observe(start: (config: object) => Promise<Running>): Promise<Seen> {
  const up = await startRaw(UPSTREAM);
  const agent = await startAgent();
  const all = [...CASES, { name: 'rates', ask: RATED }] as readonly Case[];
  const ports: number[] = [];
  for (const _ of all) ports.push(await freePort());
  const listeners = all.map((one, i) =>
    listener(
      ports[i]!,
      [
        {
          filters: [
            hcm([{ ...routeTo('up'), ...one.route }], {
              statPrefix: `c${i}`,
              accessLog: [stdoutLog(`LOG %REQ(:PATH)% %TRACE_ID% %SPAN_ID%`)],
              tracing: { provider: provider(one.datadog), ...one.tracing },
            }),
          ],
        },
      ],
      { trafficDirection: one.direction ?? 'OUTBOUND' },
    ),
  );
  const config = {
    ...bootstrap(listeners, [staticCluster('up', [up.port]), staticCluster('agent', [agent.port])]),
    node: { id: 'tester', cluster: 'testers', locality: { zone: 'zone-1' } },
  };
  const proxy = await start(config);
  const answers: Record<string, string[]> = {};
  const found = (path: string): readonly DatadogSpanJson[] | undefined =>
    agent.posts.flatMap(({ traces }) => traces).find(([root]) => root?.meta['http.url']?.endsWith(path) === true);
  const askAll = async (one: Case, i: number): Promise<void> => {
    const heads: string[] = [];
    for (const [k, fields] of one.ask.entries()) {
      const lines = [`GET /${i}/${k}/ HTTP/1.1`, 'host: h', 'connection: close', ...fields, '', ''];
      const answer = await ask(ports[i]!, lines.join('\r\n'));
      heads.push(answer.split('\r\n\r\n')[1] ?? '');
    }
    for (const [k] of one.ask.entries())
      await expect.poll(() => found(`/${i}/${k}/`), { timeout: 40_000, message: `${one.name} ${k}` }).toBeDefined();
    answers[one.name] = one.ask.map((_, k) =>
      tell(heads[k]!, found(`/${i}/${k}/`)!, { [up.port]: 'UP', [ports[i]!]: 'PORT' }),
    );
  };
  try {
    await Promise.all(CASES.map(askAll));
    agent.rates = { 'service:istio-proxy,env:': 0.25, 'service:,env:': 1 };
    await ask(ports.at(-1)!, 'GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n');
    await until('the trace of the request', () => found('h/') !== undefined);
    const heard = async (): Promise<number> =>
      Number(/reports_sent: (\d+)/.exec(await fetchText(proxy.admin, '/stats?filter=tracing.datadog'))?.[1]);
    await until("the agent's answer with its rates", async () => (await heard()) === agent.posts.length);
    await askAll(all.at(-1)!, all.length - 1);
    const text = await fetchText(proxy.admin, '/stats?filter=tracing.datadog');
    await proxy.stop();
    const logs = proxy
      .output()
      .split('\n')
      .filter((line) => line.startsWith('LOG '));
    return {
      answers,
      logs: logs.toSorted(),
      heads: headsOf(agent),
      stats: text.replaceAll(/(?<=reports_sent: )[1-9]\d*/g, 'SOME'),
    };
  } finally {
    await proxy.stop();
    await agent.stop();
    await up.stop();
  }
}

function provider(more: object = {}): object {
  return {
    name: 'envoy.tracers.datadog',
    typedConfig: {
      '@type': `${TYPE}envoy.config.trace.v3.DatadogConfig`,
      collectorCluster: 'agent',
      serviceName: 'istio-proxy',
      ...more,
    },
  };
}

/** Of requests to the agent; each says itself what it is. */
function headsOf({ posts }: Agent): string[] {
  const heads = posts.map(({ headers, traces }) => {
    expect(headers['x-datadog-trace-count']).toBe(String(traces.length));
    const { host, 'content-type': type } = headers;
    const kept = Object.keys(headers).filter((name) => name.startsWith('datadog-meta'));
    return JSON.stringify({ host, type, kept: kept.toSorted() });
  });
  return [...new Set(heads)].toSorted();
}

function tell(saw: string, spans: readonly DatadogSpanJson[], ports: Readonly<Record<string, string>>): string {
  const described = spans.map(({ start, duration, meta, metrics, trace_id, span_id, parent_id, ...span }) => {
    expect(Math.abs(Number(start / 1_000_000n) - Date.now())).toBeLessThan(60_000);
    expect(Number(duration)).toBeGreaterThan(0);
    // Sizes depend on how many digits random numbers have.
    const { version, language, 'runtime-id': runtime, response_size: _, ...tags } = meta;
    const { process_id: pid, ...numbers } = metrics;
    const ids = [trace_id, span_id, parent_id].map((id) => hex(String(id)));
    return {
      ...span,
      error: String(span.error),
      ids,
      told: [version, language, runtime, pid].every((each) => each !== undefined),
      tags: sorted(tags),
      numbers: sorted(numbers),
    };
  });
  let text = [saw.split(' ; ').join('\n'), ...described.map((span) => JSON.stringify(span, undefined, 1))].join('\n');
  for (const [port, name] of Object.entries(ports)) text = text.replaceAll(`:${port}`, `:${name}`);
  const known = new Set([LOW, PARENT, '7777777777777777777', '18446744073709551615'].map(hex).concat(HIGH));
  const ids = new Map<string, string>();
  const label = (id: string): string => {
    if (known.has(id) || /^0{8}/.test(id)) return id;
    if (/^[0-9a-f]{8}0{8}$/.test(id) && Math.abs(Number.parseInt(id.slice(0, 8), 16) - Date.now() / 1000) < 60)
      return 'NOW';
    if (!ids.has(id)) ids.set(id, `ID${ids.size}`);
    return ids.get(id)!;
  };
  return text
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID')
    .replaceAll(/(?<=x-datadog-(?:trace|parent)-id: )\d+/g, (id) => hex(id))
    .replaceAll(/\b[0-9a-f]{32}\b/g, (id) => `${label(id.slice(0, 16))}+${label(id.slice(16))}`)
    .replaceAll(/\b[0-9a-f]{16}\b/g, label);
}

function sorted<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

test('traces go to Datadog’s agent as Envoy’s do', { timeout: 120_000 }, async () => {
  const theirs = await observe(async (config) => {
    const envoy = await startEnvoy(config);
    return { ...envoy, admin: envoy.adminPort };
  });
  const ours = await observe(startWithAdmin);
  expect(ours.answers).toEqual(theirs.answers);
  expect(ours.logs).toEqual(theirs.logs);
  expect(ours.heads).toEqual(theirs.heads);
  expect(ours.stats).toEqual(theirs.stats);
});
