import type { Cluster } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { duration } from '../duration.ts';
import { hasFamily } from '../families.ts';
import { ALLOW_ANY_DNS_CACHE, DNS_CACHE } from '../dns-cache.ts';
import {
  ALLOW_ANY_DYNAMIC_DNS_CLUSTER,
  BLACK_HOLE,
  CONNECT_TUNNEL,
  INBOUND_PASSTHROUGH,
  PASSTHROUGH,
} from '../names.ts';
import { LOCAL_ENDPOINT } from '../endpoint/endpoint.ts';
import { applyConnectionPool } from './connection-pool.ts';
import { dynamicForwardProxy } from './dns.ts';
import { type ClusterDraft, finish, httpOptions, speakAsDownstream } from './draft.ts';
import { metadataExchange } from './metadata-exchange.ts';
import { NO_POLICY } from './policy.ts';
import { applyUndeclaredTls } from './tls.ts';

/** Takes connections to nowhere. */
export function blackHole(context: TranslationContext): Cluster {
  return {
    name: BLACK_HOLE,
    altStatName: `${BLACK_HOLE};`,
    type: 'STATIC',
    connectTimeout: duration(context.model.mesh.connectTimeout ?? '10s'),
  };
}

/**
 * For hosts that nobody declared: to where the connection was going before it was intercepted. Without interception,
 * to the host the request names.
 */
export function passthrough(context: TranslationContext): Cluster {
  const draft = passthroughDraft(context, PASSTHROUGH);
  if (context.proxy.local !== undefined)
    Object.assign(draft.cluster, { type: undefined, ...dynamicForwardProxy(DNS_CACHE, true) });
  if (context.profile === 'istio') draft.cluster.filters = metadataExchange;
  return finish(draft);
}

/** For hosts that nobody declared, where the mesh says that their names are to be resolved. */
export function allowAnyDynamicDns(context: TranslationContext): Cluster {
  const draft = passthroughDraft(context, ALLOW_ANY_DYNAMIC_DNS_CLUSTER);
  const { tls } = context.model.mesh.outboundTrafficPolicy ?? {};
  const checks = tls?.mode !== undefined && tls.mode !== 'DISABLE' && tls.insecureSkipVerify !== true;
  Object.assign(draft.cluster, { type: undefined, ...dynamicForwardProxy(ALLOW_ANY_DNS_CACHE, !checks) });
  applyUndeclaredTls(context, draft, tls);
  draft.cluster.altStatName = `${ALLOW_ANY_DYNAMIC_DNS_CLUSTER};`;
  if (context.profile === 'istio') draft.cluster.filters = metadataExchange;
  return finish(draft);
}

/** The address traffic to the application is sent from, so that interception lets it through. */
const LOOP_GUARD = '127.0.0.6';
const LOOP_GUARD_6 = '::6';

export function loopGuard(context: TranslationContext): NonNullable<Cluster['upstreamBindConfig']> {
  return { sourceAddress: { address: hasFamily(context.proxy, 4) ? LOOP_GUARD : LOOP_GUARD_6, portValue: 0 } };
}

export function inboundPassthrough(context: TranslationContext): Cluster {
  const draft = passthroughDraft(context, INBOUND_PASSTHROUGH);
  draft.cluster.upstreamBindConfig = loopGuard(context);
  return finish(draft);
}

function passthroughDraft(context: TranslationContext, name: string): ClusterDraft {
  const draft: ClusterDraft = {
    cluster: { name, altStatName: `${PASSTHROUGH};`, type: 'ORIGINAL_DST', lbPolicy: 'CLUSTER_PROVIDED' },
    http: undefined,
  };
  const { mesh } = context.model;
  applyConnectionPool(draft, { ...NO_POLICY, connectionPool: mesh.defaultTrafficPolicy?.connectionPool }, mesh);
  speakAsDownstream(draft);
  httpOptions(draft).commonHttpProtocolOptions = { idleTimeout: '300s' };
  return draft;
}

/** Leads a CONNECT to an HTTP port back into the proxy, where its payload is routed like any other request. */
export function connectTunnel(context: TranslationContext): Cluster {
  const draft: ClusterDraft = { cluster: { name: CONNECT_TUNNEL, type: 'STATIC' }, http: undefined };
  applyConnectionPool(draft, NO_POLICY, context.model.mesh);
  return {
    ...finish(draft),
    // What is inside is counted, and the step on the way to it is not.
    metadata: { filterMetadata: { [LOCAL_ENDPOINT]: { tunnel: true } } },
    loadAssignment: {
      clusterName: CONNECT_TUNNEL,
      endpoints: [
        { lbEndpoints: [{ endpoint: { address: { envoyInternalAddress: { serverListenerName: CONNECT_TUNNEL } } } }] },
      ],
    },
  };
}
