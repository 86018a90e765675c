import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, repositoryRoot } from '@mizzen/testkit';

type Json = Readonly<Record<string, unknown>>;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

/** What the Collector made of what it got, as OTLP's JSON has it: its own words, whatever the protocol was. */
export interface Collected {
  readonly spans: readonly (Json & { readonly service: string; readonly tags: Readonly<Record<string, string>> })[];
  readonly logs: readonly (Json & { readonly body: { readonly stringValue?: string } })[];
  /** By service, the names of its metrics. */
  readonly metrics: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface Collector {
  readonly ports: { readonly grpc: number; readonly http: number; readonly zipkin: number };
  collected(): Collected;
  stop(): void;
}

/** The OpenTelemetry Collector as a process, with its receivers for OTLP (gRPC, HTTP) and Zipkin. */
export async function startCollector(): Promise<Collector> {
  const program = join(repositoryRoot, '.tools/peers/collector');
  if (!existsSync(program)) throw new Error('the OpenTelemetry Collector is not there: npm run tools');
  const [grpc, http, zipkin] = [await freePort(), await freePort(), await freePort()];
  const bodies = new Map<string, Json[]>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = request.url ?? '';
      bodies.set(path, [...(bodies.get(path) ?? []), JSON.parse(Buffer.concat(parts).toString()) as Json]);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-collector-'));
  const config = join(folder, 'config.yaml');
  writeFileSync(config, configuration({ grpc, http, zipkin }, await listen(server)));
  const child = spawn(program, ['--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
  const stop = (): void => {
    child.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const port of [grpc, http, zipkin]) await answers(port, child, () => said);
  } catch (error) {
    stop();
    throw error;
  }
  return { ports: { grpc, http, zipkin }, collected: () => read(bodies), stop };
}

function configuration(ports: Collector['ports'], to: number): string {
  const at = (port: number): string => `{ endpoint: '127.0.0.1:${port}' }`;
  const pipeline = (receivers: string): string => `{ receivers: [${receivers}], exporters: [otlp_http] }`;
  return `
receivers:
  otlp: { protocols: { grpc: ${at(ports.grpc)}, http: ${at(ports.http)} } }
  zipkin: ${at(ports.zipkin)}
exporters:
  otlp_http: { endpoint: 'http://127.0.0.1:${to}', encoding: json, compression: none }
service:
  pipelines:
    traces: ${pipeline('otlp, zipkin')}
    metrics: ${pipeline('otlp')}
    logs: ${pipeline('otlp')}
`;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return (server.address() as AddressInfo).port;
}

async function answers(port: number, child: ChildProcess, said: () => string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the Collector ended: ${said()}`);
    if (performance.now() > deadline) throw new Error(`the Collector does not listen: ${said()}`);
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => done(true)).on('error', () => done(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((done) => setTimeout(done, 50));
  }
}

function read(bodies: ReadonlyMap<string, readonly Json[]>): Collected {
  const groups = (path: string, field: string): readonly Json[] =>
    (bodies.get(path) ?? []).flatMap((body) => list(body[field]));
  const within = (group: Json, scope: string, field: string): readonly Json[] =>
    list(group[scope]).flatMap((each) => list(each[field]));
  const metrics = new Map<string, Set<string>>();
  for (const group of groups('/v1/metrics', 'resourceMetrics')) {
    const service = serviceOf(group);
    const names = metrics.get(service) ?? new Set();
    metrics.set(service, names);
    for (const { name } of within(group, 'scopeMetrics', 'metrics')) names.add(String(name));
  }
  return {
    spans: groups('/v1/traces', 'resourceSpans').flatMap((group) =>
      within(group, 'scopeSpans', 'spans').map((span) => ({
        ...span,
        service: serviceOf(group),
        tags: attributes(span['attributes']),
      })),
    ),
    logs: groups('/v1/logs', 'resourceLogs').flatMap(
      (group) => within(group, 'scopeLogs', 'logRecords') as Collected['logs'],
    ),
    metrics,
  };
}

function list(value: unknown): readonly Json[] {
  return (value ?? []) as readonly Json[];
}

function attributes(value: unknown): Record<string, string> {
  return Object.fromEntries(
    (list(value) as unknown as readonly Attribute[]).map(({ key, value: { stringValue, intValue } }) => [
      key,
      stringValue ?? intValue ?? '',
    ]),
  );
}

function serviceOf({ resource }: Json): string {
  return attributes((resource as Json | undefined)?.['attributes'])['service.name'] ?? '';
}
