import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { up, type Mesh } from '../e2e/lib/mesh.ts';
import { folder, service } from '../e2e/lib/system.ts';
import { Connection, type Exchange } from './client.ts';
import type { Case } from './case.ts';
import { compareLogs, isAlike, unexpected } from './compare.ts';
import type { Engine } from './engines.ts';
import type { Observation, Observed, Setting } from './observe.ts';
import { isSent, type Request } from './request.ts';
import type { Received, Upstreams } from './upstream.ts';

/**
 * A mesh that `mizzen up` runs, once on Mizzen's own proxy and once on real Envoys under its control plane. `to` of a
 * request says which way in: `gateway`, the sidecar of a workload (`client` by default), or `direct NAME`: a pod's own
 * address, past its clients' sidecars.
 */
export interface MeshSpec {
  /** Services of stand-ins on port 8080: name to versions. There always is a `client`. */
  readonly services: Readonly<Record<string, readonly string[]>>;
  /** Istio's YAML beside them; placeholders are filled in. */
  readonly resources: string;
}

const LOGS = `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: logs, namespace: istio-system }
spec: { accessLogging: [{ providers: [{ name: envoy }] }] }
`;

interface Pod {
  readonly address: string;
  readonly httpProxy: string;
}

export async function observeMesh(
  engine: Engine,
  one: Case,
  setting: Setting,
  upstreams: Upstreams,
  before?: Observed,
): Promise<Observed> {
  const { services, resources } = one.mesh!;
  upstreams.reset();
  const all = Object.entries({ client: ['v1'], ...services }).map(([name, versions]) => service(name, versions));
  const system = folder({ 'all.yaml': `${all.join('---\n')}---\n${LOGS}---\n${resources}` });
  const stateDir = mkdtempSync(join(tmpdir(), 'mizzen-conformance-mesh-'));
  try {
    const mesh = await up([system.path], { engine: engine === 'envoy' ? 'envoy' : 'embedded', stateDir });
    let requests: Observed['requests'];
    try {
      requests = await driveAll(one, mesh, upstreams, before);
      await quietLogs(one, stateDir, before);
    } finally {
      await mesh.kill('SIGINT');
    }
    return { requests, stats: new Map(), accessLogs: accessLogs(stateDir) };
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
    system.remove();
  }
}

/** How long what the other engine did is waited for, milliseconds. */
const PATIENCE = 3000;
/** More than what passes between two writings of a log file. */
const QUIET = 150;

/** Until nothing more is logged and, of the second engine, what the first one logged is there. */
async function quietLogs(one: Case, stateDir: string, before: Observed | undefined): Promise<void> {
  const wanted = one.statsDiffer === undefined && one.statsPending === undefined ? before : undefined;
  const deadline = performance.now() + PATIENCE;
  let last: string | undefined;
  while (performance.now() < deadline) {
    await pause(QUIET);
    const logs = accessLogs(stateDir);
    const now = JSON.stringify([...logs]);
    const alike =
      wanted === undefined ||
      compareLogs(one, wanted, { requests: [], stats: new Map(), accessLogs: logs }).length === 0;
    if (now === last && alike) return;
    last = now;
  }
}

async function driveAll(
  one: Case,
  mesh: Mesh,
  upstreams: Upstreams,
  before: Observed | undefined,
): Promise<(Observation | undefined)[]> {
  const results: (Observation | undefined)[] = [];
  const kept = new Map<string, Connection>();
  for (const [i, request] of one.requests.entries()) {
    if (!isSent(request) || request.until !== undefined) throw new Error(`\`${request.title}\` is not for a mesh`);
    if (request.pause > 0) await pause(request.pause);
    upstreams.begin();
    if (request.tell) upstreams.tell();
    const known = request.on === undefined ? undefined : kept.get(request.on);
    const connection = known ?? new Connection();
    if (known === undefined) {
      const [host, port] = await wayIn(mesh, request.to);
      await connection.open('127.0.0.1', port, request, host);
    }
    if (request.on !== undefined) kept.set(request.on, connection);
    results[i] =
      request.times > 1
        ? await driveMany(request, connection)
        : await driveOne(request, connection, upstreams, before?.requests[i]);
    if (request.on === undefined) connection.destroy();
  }
  for (const connection of kept.values()) connection.destroy();
  return results;
}

async function driveOne(
  request: Request,
  connection: Connection,
  upstreams: Upstreams,
  theirs: Observation | undefined,
): Promise<Observation> {
  const exchange = await connection.exchange(request);
  const see = (): Observation => {
    const state = connection.state(exchange);
    const { text, received } = standInAnswer(state);
    return { ...state, text, received: [...upstreams.received.map((each) => ({ ...each })), ...received], log: [] };
  };
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const seen = see();
    const alike = theirs === undefined || isAlike(request, theirs, seen);
    if ((unexpected(request, seen) === undefined && alike) || performance.now() > deadline) return seen;
    await pause(20);
  }
}

async function driveMany(request: Request, connection: Connection): Promise<Observation> {
  const shares: Record<string, number> = {};
  for (let i = 0; i < request.times; i++) {
    const exchange = await connection.exchange({ ...request, settle: 0 });
    const { text, received } = standInAnswer(exchange);
    const key = `${text.slice(9, 12)} ${received[0]?.upstream ?? '-'}`;
    shares[key] = (shares[key] ?? 0) + 1;
    if (exchange.closed) break;
  }
  return { text: '', closed: false, time: 0, received: [], log: [], shares };
}

async function wayIn(mesh: Mesh, to: string): Promise<readonly [string, number]> {
  if (to === 'gateway') return ['127.0.0.1', mesh.gatewayPort];
  const direct = to.startsWith('direct ');
  const name = to === 'in' ? 'client-v1' : to.replace('direct ', '');
  const { body } = await mesh.api(`/api/workloads/default/${name}`);
  const pod = (JSON.parse(body) as { pods: readonly Pod[] }).pods[0]!;
  if (direct) return [pod.address, 8080];
  const [host = '', port] = pod.httpProxy.split(':');
  return [host, Number(port)];
}

interface StandInBody {
  readonly standIn: true;
  readonly workload: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly bodySize: number;
  readonly protocol: string;
}

/** What a stand-in says of itself and of what it got becomes what was received. */
function standInAnswer({ text }: Exchange): { readonly text: string; readonly received: readonly Received[] } {
  const end = text.indexOf('\r\n\r\n{');
  if (end < 0) return { text, received: [] };
  let body: Partial<StandInBody>;
  try {
    body = JSON.parse(text.slice(end + 4)) as Partial<StandInBody>;
  } catch {
    return { text, received: [] };
  }
  if (body.standIn !== true) return { text, received: [] };
  const { workload = '', method, path, headers = {}, bodySize, protocol } = body;
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${steady(name, String(value))}`);
  const bytes = [`${method} ${path} ${protocol}`, ...fields, `(${bodySize} bytes)`, ''].join('\n');
  const head = text.slice(0, end + 4).replace(/content-length: \d+\r\n/, '');
  return { text: head, received: [{ upstream: workload, bytes }] };
}

function steady(name: string, value: string): string {
  if (/^x-b3-|^traceparent$|^tracestate$|^x-envoy-peer-metadata/.test(name)) return 'CHANCE';
  return value.replaceAll(/Hash=[0-9a-f]{64}/g, 'Hash=HASH').replaceAll(/127\.\d+\.\d+\.\d+/g, 'ADDRESS');
}

const ISTIO_LOG =
  /^\[[^\]]+\] "([^"]*)" (\S+) (\S+) (\S+) (.*?) "(.*?)" \d+ \d+ \d+ \S+ "[^"]*" "[^"]*" "[^"]*" "([^"]*)" "([^"]*)" (\S+) \S+ \S+ \S+ (\S+) (\S+)$/;

/** What the sidecars of each workload logged, in order, without what is another each time. */
function accessLogs(stateDir: string): ReadonlyMap<string, readonly string[]> {
  const logs = join(stateDir, 'logs');
  const map = new Map<string, readonly string[]>();
  for (const file of readdirSync(logs)
    .filter((name) => name.endsWith('.access.log'))
    .toSorted()) {
    const lines = readFileSync(join(logs, file), 'utf8').split('\n').filter(Boolean);
    map.set(file.replace('.access.log', ''), lines.map(logLine));
  }
  return map;
}

function logLine(line: string): string {
  const parts = ISTIO_LOG.exec(line);
  if (parts === null) return line;
  const [, request, code, flags, details, termination, failure, authority, host, cluster, sni, route] = parts;
  const there = host === '-' ? 'no host' : 'a host';
  return [request, code, flags, details, termination, failure, authority, there, cluster, sni, route]
    .join(' ')
    .replaceAll(/127\.\d+\.\d+\.\d+(:\d+)?/g, 'ADDRESS');
}
