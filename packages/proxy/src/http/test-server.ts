/** For tests: a listener that ends in a connection manager, with clusters of plain hosts, without any xDS. */
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { ClusterCircuitBreaker } from '../cluster/circuit-breaker.ts';
import { newClusterStats } from '../cluster/stats.ts';
import { openLogs } from '../telemetry/open-logs.ts';
import type { Deps } from '../deps.ts';
import { systemDeps } from '../process/deps.ts';
import { RequestGroups } from '../telemetry/request-groups.ts';
import type { HcmProgram, RouteConfigProgram, ThresholdsProgram } from '../program/types.ts';
import type {
  ConnectFailure,
  RetryProgram,
  RouteActionProgram,
  RouteDecision,
  RouteEntry,
  UpstreamCluster,
  UpstreamHost,
  UpstreamSocket,
} from '../types.ts';
import { newAnswerCounts, newHcmStats, type HcmRuntime, type HttpServerConnection } from './runtime.ts';
import { serveHttp } from './server-connection.ts';

export const PROGRAM: HcmProgram = {
  statPrefix: 'test',
  routes: { kind: 'rds', name: 'test' },
  filters: [],
  router: {
    suppressEnvoyHeaders: false,
    dynamicStats: true,
    suppressGrpcRequestFailureCodeStats: false,
    respectExpectedRqTimeout: false,
    startChildSpan: false,
    strictCheckHeaders: [],
    upstreamLogs: [],
  },
  codecType: 'AUTO',
  maxRequestHeadersBytes: 60 * 1024,
  maxHeadersCount: 100,
  headersWithUnderscores: 'ALLOW',
  maxRequestsPerConnection: 0,
  idleTimeout: 3_600_000,
  maxConnectionDuration: 0,
  maxStreamDuration: 0,
  streamIdleTimeout: 300_000,
  requestTimeout: 0,
  requestHeadersTimeout: 0,
  drainTimeout: 5000,
  delayedCloseTimeout: 1000,
  allowAbsoluteUrl: true,
  acceptHttp10: false,
  allowCustomMethods: false,
  defaultHostForHttp10: '',
  enableTrailers: false,
  allowChunkedLength: false,
  headerKeyFormat: 'lowercase',
  streamErrorOnInvalidMessage: false,
  serverName: 'envoy',
  serverHeaderTransformation: 'OVERWRITE',
  schemeOverwrite: undefined,
  schemeMatchUpstream: false,
  via: '',
  userAgent: undefined,
  useRemoteAddress: false,
  xffNumTrustedHops: 0,
  skipXffAppend: false,
  appendXForwardedPort: false,
  namesClients: true,
  isInternalAddress: () => false,
  representIpv4AsMapped: false,
  generateRequestId: true,
  preserveExternalRequestId: false,
  alwaysSetRequestIdInResponse: false,
  packTraceReason: true,
  clientCert: { mode: 'SANITIZE', subject: false, cert: false, chain: false, dns: false, uri: false },
  chooseClientCert: undefined,
  proxy100Continue: false,
  upgrades: new Map(),
  normalizePath: false,
  mergeSlashes: false,
  escapedSlashes: 'KEEP_UNCHANGED',
  stripPort: 'none',
  stripTrailingHostDot: false,
  localReply: undefined,
  accessLogs: [],
  accessLogFlushInterval: 0,
  flushAccessLogOnNewRequest: false,
};

export const ACTION: RouteActionProgram = {
  timeout: 15_000,
  idleTimeout: undefined,
  limitsStreams: false,
  maxStreamDuration: undefined,
  retry: undefined,
  mirrors: [],
  hashKey: undefined,
  metadataMatch: undefined,
  upgrades: new Map(),
  hedges: false,
  maxGrpcTimeout: undefined,
  clusterNotFoundStatus: 503,
  priority: 'DEFAULT',
  autoHostRewrite: false,
  appendXForwardedHost: false,
  grpcTimeoutOffset: 0,
  grpcTimeoutHeaderMax: undefined,
  grpcTimeoutHeaderOffset: 0,
};

export const RETRY: RetryProgram = {
  on: 0,
  numRetries: 1,
  perTryTimeout: 0,
  perTryIdleTimeout: 0,
  retriableStatusCodes: [],
  retriableHeaders: [],
  backOffBase: 25,
  backOffMax: 250,
  retriableRequestHeaders: [],
  resetHeaders: [],
  resetMax: 0,
  avoids: undefined,
  avoidPreviousHosts: false,
  hostSelectionAttempts: 1,
};

const UNLIMITED: ThresholdsProgram = {
  maxConnections: 1024,
  trackRemaining: false,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
  retryBudget: undefined,
};

export class TestHost implements UpstreamHost {
  readonly address = '127.0.0.1';
  readonly port: number;
  readonly authority: string;
  readonly hostname = '';
  readonly cluster: TestCluster;
  inService = true;
  internalListener?: string;
  active = 0;
  issued = 0;
  pool: UpstreamHost['pool'];
  readonly outcomes: string[] = [];

  constructor(cluster: TestCluster, port: number) {
    this.cluster = cluster;
    this.port = port;
    this.authority = `127.0.0.1:${port}`;
  }

  connect(onReady: (socket: UpstreamSocket) => void, onFail: (error: ConnectFailure) => void): void {
    const socket = connect({ host: this.address, port: this.port, noDelay: true, allowHalfOpen: true });
    this.cluster.stats.upstream_cx_total++;
    const refused = (): void => onFail({ kind: 'refused', reason: 'delayed connect error: Connection refused' });
    socket.once('connect', () => {
      socket.off('error', refused);
      socket.on('error', () => undefined);
      onReady(socket);
    });
    socket.once('error', refused);
  }
  report(outcome: string): void {
    if (this.outcomes.length < 1000) this.outcomes.push(outcome);
  }
}

export class TestCluster implements UpstreamCluster {
  readonly name: string;
  connectTimeout = 1000;
  idleTimeout = 3_600_000;
  maxRequestsPerConnection = 0;
  maxConnectionDuration = 0;
  readonly hosts: TestHost[];
  readonly limits: UpstreamCluster['limits'];
  readonly stats = newClusterStats();
  #next = 0;

  constructor(name: string, ports: readonly number[], thresholds: Partial<ThresholdsProgram> = {}) {
    this.name = name;
    this.hosts = ports.map((port) => new TestHost(this, port));
    const breaker = new ClusterCircuitBreaker({ ...UNLIMITED, ...thresholds }, systemDeps().clock);
    this.limits = { DEFAULT: breaker, HIGH: breaker };
  }

  choose(): UpstreamHost | null {
    return this.hosts[this.#next++ % this.hosts.length] ?? null;
  }
}

/** A route to a cluster, with nothing special about it. */
export function routeTo(
  cluster: string,
  action: Partial<RouteActionProgram> = {},
  entry: Partial<RouteEntry> = {},
): RouteDecision {
  const route: RouteEntry = {
    name: '',
    metadata: undefined,
    virtualHost: {
      name: 'test',
      perFilter: new Map(),
      includeRequestAttemptCount: false,
      includeAttemptCountInResponse: false,
    },
    index: 0,
    perFilter: new Map(),
    action: { ...ACTION, ...action },
    rewriteRequest: () => undefined,
    rewriteResponse: () => undefined,
    ...entry,
  };
  return { kind: 'cluster', route, cluster, weighted: undefined };
}

export interface TestServer {
  readonly port: number;
  readonly hcm: HcmRuntime;
  readonly connections: Set<HttpServerConnection>;
  readonly log: string[];
  stop(): Promise<void>;
}

export interface TestOptions {
  readonly program?: Partial<HcmProgram>;
  readonly find: RouteConfigProgram['find'];
  readonly clusters: readonly UpstreamCluster[];
  readonly internalListener?: HcmRuntime['internalListener'];
  readonly port?: number;
}

export async function startTestServer(options: TestOptions): Promise<TestServer> {
  const deps: Deps = systemDeps();
  const log: string[] = [];
  const routes: RouteConfigProgram = {
    name: 'test',
    switchesFilters: false,
    virtualHostNames: [],
    clusterNames: [],
    requestGroups: [],
    internalOnlyHeaders: [],
    find: options.find,
  };
  const program: HcmProgram = { ...PROGRAM, ...options.program };
  const hcm: HcmRuntime = {
    bufferLimit: 1024 * 1024,
    healthFailed: () => false,
    program,
    routes: () => routes,
    cluster: (name) => options.clusters.find((cluster) => cluster.name === name),
    internalListener: options.internalListener ?? (() => undefined),
    deps,
    stats: newHcmStats(),
    listenerAnswers: newAnswerCounts(),
    requestGroups: new RequestGroups(),
    asyncRequests: { value: 0 },
    codec: { dropped_headers_with_underscores: 0, requests_rejected_with_underscores_in_headers: 0 },
    accessLoggers: openLogs(program.accessLogs, () => ({ write: (line) => void log.push(line) })),
  };
  const connections = new Set<HttpServerConnection>();
  let id = 0;
  const server: Server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const connection = serveHttp(
      socket,
      {
        id: id++,
        directRemoteAddress: socket.remoteAddress ?? '',
        remotePort: socket.remotePort ?? 0,
        localAddress: socket.localAddress ?? '',
        localPort: socket.localPort ?? 0,
        tls: undefined,
        requestedServerName: '',
        applicationProtocol: '',
      },
      hcm,
    );
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  await new Promise<void>((done) => server.listen(options.port ?? 0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    hcm,
    connections,
    log,
    stop: async () => {
      for (const connection of connections) connection.close();
      for (const cluster of options.clusters) {
        if (cluster instanceof TestCluster) for (const host of cluster.hosts) host.pool?.drain();
      }
      await new Promise((done) => server.close(done));
    },
  };
}
