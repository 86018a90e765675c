import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, trace, TraceFlags } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import type { TraceAnswer, TracesAnswer } from '@mizzen/runtime/api/types.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromWorkload, type Sender } from './lib/from-workload.ts';
import { type Mesh, up } from './lib/mesh.ts';
import { type ReadSpan, readReports, startBackend } from './lib/trace-reader.ts';

const workload = (name: string, run = ''): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { app: ${name} }
  ports: [{ name: http, port: 80, targetPort: 8080 }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} }, annotations: { ${run === '' ? '' : `mizzen.dev/run: '${run}'`} } }
    spec: { containers: [{ name: ${name}, image: ${name}, ports: [{ containerPort: 8080 }] }] }
---`;

/** A program that passes trace headers on, of the kind that a request asks for, and tells what it got. */
const MIDDLE = `
import { createServer } from 'node:http';
const KINDS = { w3c: ['traceparent', 'tracestate'], b3: ['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled'] };
createServer(async (request, response) => {
  const headers = {};
  for (const name of [...KINDS[request.headers['x-pass']], 'x-request-id'])
    if (request.headers[name] !== undefined) headers[name] = request.headers[name];
  const answer = await fetch('http://backend/stock', { headers });
  await answer.arrayBuffer();
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(request.headers));
}).listen(process.env.PORT);
`;

const logging = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: mesh, namespace: istio-system }
spec: { accessLogging: [{ providers: [{ name: envoy }] }] }
`;

/** Whose spans lead to whose. */
const CALLS = ['client.shop client 0', 'middle.shop server 1', 'middle.shop client 2', 'backend.shop server 3'];

describe.each(['embedded', 'mixed'] as const)('traces of a mesh (%s)', (engine) => {
  let mesh: Mesh;
  let folder: string;
  let client: Sender;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mizzen-traces-'));
    writeFileSync(join(folder, 'middle.mjs'), MIDDLE);
    const run = `${process.execPath} ${join(folder, 'middle.mjs')}`;
    writeFileSync(
      join(folder, 'mesh.yaml'),
      workload('client') + workload('middle', run) + workload('backend') + logging,
    );
    mesh = await up([folder], { engine, onEnvoy: engine === 'mixed' ? ['middle'] : [] });
    client = await fromWorkload(mesh, 'shop', 'client');
  });
  afterAll(async () => {
    await mesh.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = async <T>(path: string): Promise<T> => JSON.parse((await mesh.api(path)).body) as T;
  /** Spans arrive up to five seconds after their requests. */
  const whole = async (id: string, spans: number): Promise<TraceAnswer> => {
    await expect
      .poll(async () => (await get<Partial<TraceAnswer>>(`/api/traces/${id}`)).spanCount, { interval: 200 })
      .toBe(spans);
    return get<TraceAnswer>(`/api/traces/${id}`);
  };

  const own = { spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED, isRemote: true };
  it('traces that OpenTelemetry’s own propagators begin go on in spans of the mesh, and in what it passes on', async () => {
    const kinds = [
      { pass: 'w3c', propagator: new W3CTraceContextPropagator() },
      { pass: 'b3', propagator: new B3Propagator() },
      { pass: 'b3', propagator: new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }) },
    ];
    const sent = kinds.map(async ({ pass, propagator }, index) => {
      const traceId = `${index + 1}af7651916cd43dd8448eb211c80319c`;
      const headers: Record<string, string> = { 'x-pass': pass };
      const within = trace.setSpanContext(context.active(), { ...own, traceId });
      propagator.inject(within, headers, { set: (to, key, value) => (to[key] = value) });
      const answer = await client.get('http://middle/', headers);
      expect(answer.status).toBe(200);

      const { spans, errors, url } = await whole(traceId, 4);
      expect(spans.map(({ service, kind, depth }) => `${service} ${kind} ${depth}`)).toEqual(CALLS);
      expect([spans[0]?.parent, errors, url]).toEqual([own.spanId, 0, 'http://middle/']);
      expect(spans.every(({ critical }) => critical.length > 0)).toBe(true);

      // What the program behind the second sidecar was given leads back to that sidecar's span.
      const given = propagator.extract(context.active(), JSON.parse(answer.body) as Record<string, string>, {
        get: (from, key) => from[key],
        keys: (from) => Object.keys(from),
      });
      const { traceFlags } = own;
      expect(trace.getSpanContext(given)).toMatchObject({ traceId, spanId: spans[1]?.id, traceFlags });
    });
    await Promise.all(sent);
  });

  // The line and its field are Istio's on both engines; the log of one says enough.
  it.runIf(engine === 'embedded')(
    'a request without a trace gets one, which its line in the access log leads to',
    async () => {
      const { body } = await client.get('http://middle/', { 'x-pass': 'w3c' });
      const request = (JSON.parse(body) as Record<string, string>)['x-request-id'] ?? '';
      const logged = async (): Promise<string> =>
        (await mesh.mizzen('logs', 'client', '-n', 'shop', '-c', 'istio-proxy')).stdout;
      await expect.poll(logged).toContain(request);
      const { id, requestId } = await whole(request, 4);
      expect(requestId).toBe(request);
      const { stdout } = await mesh.mizzen('traces', request);
      expect(stdout).toMatch(/^client\.shop: GET http:\/\/middle\/\ntrace [0-9a-f]{32}, began .*, 4 spans\n/);
      expect(stdout).toMatch(/^ {6}backend\.shop ← .* █/m);
      expect(stdout).toMatch(/^why: mizzen explain 'GET http:\/\/middle\/' --from client-0 -n shop$/m);
      const listed = await mesh.mizzen('traces', '--service', 'backend', '-o', 'json');
      expect((JSON.parse(listed.stdout) as TracesAnswer).traces.map((each) => each.id)).toContain(id);
      const unknown = await mesh.mizzen('traces', '--service', 'nobody');
      expect([unknown.status, unknown.stderr]).toEqual([
        1,
        'mizzen: there are no spans of `nobody`; there are spans of `backend.shop`, `client.shop`, `middle.shop`\n',
      ]);
    },
  );

  // A mixed mesh has proxies of both engines, so that each reports here.
  it.runIf(engine === 'mixed').each([
    ['zipkin', 'zipkin: { service: backend.example.com, port: PORT }', '/api/v2/spans'],
    ['otlp', 'opentelemetry: { service: backend.example.com, port: PORT, http: { path: /v1/traces } }', '/v1/traces'],
  ] as const)(
    'where the mesh names a provider, spans go there and not to the mesh: %s',
    async (format, provider, path) => {
      const backend = await startBackend();
      const from = mesh.output().length;
      writeFileSync(join(folder, 'backend.yaml'), named(provider, backend.port));
      try {
        await mesh.saw(/all 3 proxies concerned have it/, from);
        const sent = (id: string): boolean => backend.reports.some(({ body }) => body.includes(id));
        const ask = async (): Promise<string> => {
          const { body } = await client.get('http://middle/', { 'x-pass': 'w3c' });
          return (JSON.parse(body) as Record<string, string>)['x-request-id'] ?? '';
        };
        let ids: readonly string[] = [];
        const asked: { readonly since: string; readonly ids: readonly string[] }[] = [];
        // Connections that there are go on as they began, for a request or for some more.
        const elsewhere = async (): Promise<TracesAnswer['traces'] | undefined> => {
          const since = new Date().toISOString();
          asked.push({ since, ids: [await ask(), await ask(), await ask(), await ask(), await ask()] });
          const whole = asked.findLast((each) => each.ids.every(sent));
          if (whole === undefined) return undefined;
          ids = whole.ids;
          return (await get<TracesAnswer>(`/api/traces?since=${whole.since}`)).traces;
        };
        await expect.poll(elsewhere, { interval: 1000 }).toEqual([]);
        const services = (spans: readonly ReadSpan[]): string[] => [
          ...new Set(
            spans.filter(({ tags }) => ids.includes(tags['guid:x-request-id'] ?? '')).map((each) => each.service),
          ),
        ];
        const all = (): ReadSpan[] =>
          readReports(
            format,
            backend.reports.filter((report) => report.path === path),
          );
        await expect.poll(() => services(all()).toSorted(), { interval: 1000 }).toContain('backend.shop');
        for (const { traceId, id, kind, microseconds, tags } of all()) {
          expect([traceId, id]).toEqual([
            expect.stringMatching(/^[0-9a-f]{32}$/),
            expect.stringMatching(/^[0-9a-f]{16}$/),
          ]);
          expect(['client', 'server']).toContain(kind);
          expect(microseconds).toBeGreaterThan(0);
          expect(tags).toMatchObject({ 'http.method': 'GET', 'http.status_code': '200', 'istio.namespace': 'shop' });
        }
      } finally {
        backend.close();
      }
    },
  );
});

function named(provider: string, port: number): string {
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: backend, namespace: istio-system }
spec:
  hosts: [backend.example.com]
  ports: [{ number: ${port}, name: http, protocol: HTTP }]
  resolution: STATIC
  location: MESH_EXTERNAL
  endpoints: [{ address: 127.0.0.1 }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    extensionProviders: [{ name: backend, ${provider.replace('PORT', String(port))} }]
    defaultProviders: { tracing: [backend] }
    defaultConfig: { tracing: { sampling: 100 } }
`;
}
