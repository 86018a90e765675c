import { parseDuration, type mesh, type networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Draft } from '../draft.ts';
import { duration } from '../duration.ts';
import { defined } from '../filters/typed.ts';
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
    threshold.retryBudget = defined({
      budgetPercent: { value: budget.percent ?? 20 },
      minRetryConcurrency: positive(budget.minRetryConcurrency) ?? 3,
      budgetInterval: duration(budget.budgetInterval),
    });
  }
  cluster.circuitBreakers = { thresholds: [threshold] };
  cluster.connectTimeout = duration(tcp?.connectTimeout ?? config.connectTimeout ?? '10s');
  const keepalive = keepaliveOf(config.tcpKeepalive, tcp?.tcpKeepalive);
  if (keepalive !== undefined) cluster.upstreamConnectionOptions = { tcpKeepalive: keepalive };

  const idleTimeout = duration(http?.idleTimeout ?? tcp?.idleTimeout);
  const maxRequests = positive(http?.maxRequestsPerConnection);
  const maxStreams = positive(http?.maxConcurrentStreams);
  const maxDuration = duration(tcp?.maxConnectionDuration);
  if (idleTimeout !== undefined || maxRequests !== undefined || maxStreams !== undefined || maxDuration !== undefined) {
    const options = httpOptions(draft);
    const common: Draft<types.core.HttpProtocolOptions> = { ...options.commonHttpProtocolOptions };
    if (idleTimeout !== undefined) common.idleTimeout = idleTimeout;
    if (maxRequests !== undefined) common.maxRequestsPerConnection = maxRequests;
    if (maxDuration !== undefined) common.maxConnectionDuration = maxDuration;
    options.commonHttpProtocolOptions = common;
  }
  if (http?.useClientProtocol === true) speakAsDownstream(draft);
}

/** What only HTTP/2 has. To be applied when the protocol is settled. */
export function applyHttp2Settings(draft: ClusterDraft, policy: EffectivePolicy): void {
  const settings = policy.connectionPool?.http;
  const maxConcurrentStreams = positive(settings?.maxConcurrentStreams);
  const keep = settings?.http2KeepAlive;
  if (!isHttp2(draft) || (maxConcurrentStreams === undefined && keep === undefined)) return;
  const connectionKeepalive =
    keep === undefined ? undefined : { interval: duration(keep.interval), timeout: duration(keep.timeout) };
  httpOptions(draft).explicitHttpConfig = {
    http2ProtocolOptions: {
      ...(maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams }),
      ...(connectionKeepalive === undefined ? {} : { connectionKeepalive }),
    },
  };
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
  if (draft.http?.useDownstreamProtocolConfig !== undefined) return;
  if (wish === 'UPGRADE' || (isHttpPort && config.h2UpgradePolicy === 'UPGRADE')) speakHttp2(draft);
}

function limit(value: number | undefined): number {
  return positive(value) ?? UNLIMITED;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

/** The mesh's settings, each overridden by the rule's own. */
function keepaliveOf(
  ...all: readonly (networking.ConnectionPoolSettings_TCPSettings_TcpKeepalive | undefined)[]
): types.core.TcpKeepalive | undefined {
  const given = all.filter((settings) => settings !== undefined);
  if (given.length === 0) return undefined;
  const out: Draft<types.core.TcpKeepalive> = {};
  for (const { probes, time, interval } of given) {
    if (positive(probes) !== undefined) out.keepaliveProbes = probes;
    if (time !== undefined) out.keepaliveTime = seconds(time);
    if (interval !== undefined) out.keepaliveInterval = seconds(interval);
  }
  return out;
}

function seconds(text: string): number {
  return Math.trunc((parseDuration(text) ?? 0) / 1000);
}
