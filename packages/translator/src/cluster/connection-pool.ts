import type { mesh, networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Draft } from '../draft.ts';
import { type ClusterDraft, httpOptions, isHttp2, speakAsDownstream, speakHttp2 } from './draft.ts';
import type { EffectivePolicy } from './policy.ts';

/** Istio sets no limits of its own: Envoy's would surprise whoever never asked for any. */
const UNLIMITED = 4294967295;

export function applyConnectionPool(draft: ClusterDraft, policy: EffectivePolicy, config: mesh.MeshConfig): void {
  const { http, tcp } = policy.connectionPool ?? {};
  const { cluster } = draft;
  const threshold: Draft<types.cluster.CircuitBreakers_Thresholds> = {
    maxConnections: limit(tcp?.maxConnections),
    maxPendingRequests: limit(http?.http1MaxPendingRequests),
    maxRequests: limit(http?.http2MaxRequests),
    maxRetries: limit(http?.maxRetries),
  };
  const budget = policy.retryBudget;
  if (budget !== undefined) {
    threshold.retryBudget = {
      budgetPercent: { value: budget.percent ?? 20 },
      minRetryConcurrency: budget.minRetryConcurrency ?? 3,
    };
  }
  cluster.circuitBreakers = { thresholds: [threshold] };
  cluster.connectTimeout = tcp?.connectTimeout ?? config.connectTimeout ?? '10s';
  const keepalive = keepaliveOf(tcp?.tcpKeepalive ?? config.tcpKeepalive);
  if (keepalive !== undefined) cluster.upstreamConnectionOptions = { tcpKeepalive: keepalive };

  const idleTimeout = http?.idleTimeout ?? tcp?.idleTimeout;
  const maxRequests = positive(http?.maxRequestsPerConnection);
  const maxStreams = positive(http?.maxConcurrentStreams);
  const maxDuration = tcp?.maxConnectionDuration;
  if (idleTimeout !== undefined || maxRequests !== undefined || maxStreams !== undefined || maxDuration !== undefined) {
    const options = httpOptions(draft);
    const common: Draft<types.core.HttpProtocolOptions> = { ...options.commonHttpProtocolOptions };
    if (idleTimeout !== undefined) common.idleTimeout = idleTimeout;
    if (maxRequests !== undefined) common.maxRequestsPerConnection = maxRequests;
    if (maxDuration !== undefined) common.maxConnectionDuration = maxDuration;
    options.commonHttpProtocolOptions = common;
  }
  if (http?.useClientProtocol === true) speakAsDownstream(draft);
  if (isHttp2(draft)) {
    const keep = http?.http2KeepAlive;
    if (maxStreams === undefined && keep === undefined) return;
    httpOptions(draft).explicitHttpConfig = {
      http2ProtocolOptions: {
        ...(maxStreams === undefined ? {} : { maxConcurrentStreams: maxStreams }),
        ...(keep === undefined ? {} : { connectionKeepalive: { interval: keep.interval, timeout: keep.timeout } }),
      },
    };
  }
}

/** HTTP/1.1 turned into HTTP/2 between sidecars, where somebody asks for it. */
export function applyH2Upgrade(
  draft: ClusterDraft,
  settings: networking.ConnectionPoolSettings | undefined,
  config: mesh.MeshConfig,
  isHttpPort: boolean,
): void {
  const wish = settings?.http?.h2UpgradePolicy ?? 'DEFAULT';
  if (wish === 'DO_NOT_UPGRADE') return;
  if (wish === 'UPGRADE' || (isHttpPort && config.h2UpgradePolicy === 'UPGRADE')) speakHttp2(draft);
}

function limit(value: number | undefined): number {
  return positive(value) ?? UNLIMITED;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function keepaliveOf(
  settings: networking.ConnectionPoolSettings_TCPSettings_TcpKeepalive | undefined,
): types.core.TcpKeepalive | undefined {
  if (settings === undefined) return undefined;
  const out: Draft<types.core.TcpKeepalive> = {};
  if (positive(settings.probes) !== undefined) out.keepaliveProbes = settings.probes;
  if (settings.time !== undefined) out.keepaliveTime = seconds(settings.time);
  if (settings.interval !== undefined) out.keepaliveInterval = seconds(settings.interval);
  return out;
}

/** Whole seconds of a duration. */
function seconds(duration: string): number {
  return Math.trunc(Number.parseFloat(duration));
}
