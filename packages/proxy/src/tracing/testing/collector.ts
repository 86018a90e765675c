/** Takes spans in every form that proxies send them, and remembers them by the path or service they came to. */
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decode } from '@mizzen/xds/binary/index.ts';
import type { types } from '@mizzen/xds';

export const EXPORT = 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest';

/** A span of any kind, times and ids aside. */
export interface SeenSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  /** Of Zipkin: shared. Of OpenTelemetry: state and status. */
  readonly more: string;
  /** Microseconds. */
  readonly start: number;
  readonly duration: number;
}

export interface Collector {
  readonly httpPort: number;
  readonly grpcPort: number;
  /** By path; for gRPC, by the metadata `x-case`. */
  readonly spans: Map<string, SeenSpan[]>;
  /** Resources, by the same. */
  readonly resources: Map<string, string>;
  /** Bodies as they came. */
  readonly bodies: { readonly path: string; readonly type: string; readonly body: Buffer }[];
  stop(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const spans = new Map<string, SeenSpan[]>();
  const resources = new Map<string, string>();
  const bodies: Collector['bodies'][number][] = [];
  const note = (key: string, more: readonly SeenSpan[]): void => {
    spans.set(key, [...(spans.get(key) ?? []), ...more]);
  };
  const otlp = (key: string, body: Buffer): void => {
    const request = decode(EXPORT, body) as types.otlpTraceService.ExportTraceServiceRequest;
    for (const { resource, instrumentationLibrarySpans = [] } of request.resourceSpans ?? []) {
      const told = (resource?.attributes ?? [])
        .map(({ key: name, value }) => `${name}=${value?.stringValue}`)
        .toSorted();
      resources.set(key, told.join('\n'));
      for (const { spans: found = [] } of instrumentationLibrarySpans) note(key, found.map(ofOtlp));
    }
  };
  const http = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { url: path = '' } = request;
      const body = Buffer.concat(parts);
      const type = request.headers['content-type'] ?? '';
      bodies.push({ path, type, body });
      if (type === 'application/json') note(path, (JSON.parse(body.toString()) as ZipkinSpan[]).map(ofZipkin));
      else otlp(path, body);
      response.statusCode = type === 'application/json' ? 202 : 200;
      response.end();
    });
  });
  const grpc = createHttp2();
  grpc.on('stream', (stream: ServerHttp2Stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      otlp(`${String(headers['x-case'])}`, Buffer.concat(parts).subarray(5));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.alloc(5));
    });
  });
  const sessions = new Set<{ destroy(): void }>();
  grpc.on('session', (session) => sessions.add(session));
  const httpPort = await listen(http);
  const grpcPort = await listen(grpc as unknown as Server);
  return {
    httpPort,
    grpcPort,
    spans,
    resources,
    bodies,
    stop: async () => {
      http.closeAllConnections();
      for (const session of sessions) session.destroy();
      await Promise.all([http, grpc].map((server) => new Promise((done) => server.close(done))));
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)));
}

interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind: string;
  readonly timestamp: number;
  readonly duration: number;
  readonly shared?: boolean;
  readonly localEndpoint: object;
  readonly tags: Readonly<Record<string, string>>;
  readonly annotations?: readonly { readonly value: string }[];
}

function ofZipkin(span: ZipkinSpan): SeenSpan {
  return {
    traceId: span.traceId,
    id: span.id,
    parentId: span.parentId ?? '',
    name: span.name,
    kind: span.kind,
    tags: sorted(Object.entries(span.tags)),
    events: (span.annotations ?? []).map(({ value }) => value).toSorted(),
    more: `shared=${span.shared} at=${JSON.stringify(sorted(Object.entries(span.localEndpoint)))}`,
    start: span.timestamp,
    duration: span.duration,
  };
}

function ofOtlp(span: types.otlpTrace.Span): SeenSpan {
  const hex = (base64 = ''): string => Buffer.from(base64, 'base64').toString('hex');
  const start = Number(BigInt(span.startTimeUnixNano ?? 0) / 1000n);
  return {
    traceId: hex(span.traceId),
    id: hex(span.spanId),
    parentId: hex(span.parentSpanId),
    name: span.name ?? '',
    kind: span.kind ?? '',
    tags: sorted((span.attributes ?? []).map(({ key = '', value }) => [key, JSON.stringify(value)])),
    events: (span.events ?? []).map(({ name = '' }) => name).toSorted(),
    more: `state=${span.traceState} status=${JSON.stringify(span.status)}`,
    start,
    duration: Number(BigInt(span.endTimeUnixNano ?? 0) / 1000n) - start,
  };
}

function sorted<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
