import { refOf } from '@mizzen/api';
import type { TranslationContext } from '../context.ts';
import {
  ALLOW_ANY,
  ALLOW_ANY_DYNAMIC_DNS,
  ALLOW_ANY_DYNAMIC_DNS_CLUSTER,
  BLOCK_ALL,
  PASSTHROUGH,
  outboundCluster,
} from '../names.ts';
import { type BuiltVirtualHost, plainRoute } from './built.ts';
import { attemptCount } from './proxy-headers.ts';

/** For hosts that nobody declared: to where they are, or refused, as the outbound traffic policy says. */
export function catchAllHost(context: TranslationContext): BuiltVirtualHost {
  const { scope, model } = context;
  const source = scope.sidecar?.spec.outboundTrafficPolicy === undefined ? model.snapshot.meshSource : scope.sidecar;
  const origin =
    source === undefined ? undefined : { resource: refOf(source), path: ['spec', 'outboundTrafficPolicy'] };
  const message = attemptCount(context) ? { includeRequestAttemptCount: true } : {};
  if (scope.outboundTrafficPolicy === 'REGISTRY_ONLY') {
    const route = { name: BLOCK_ALL, match: { prefix: '/' }, directResponse: { status: 502 } };
    return { name: BLOCK_ALL, domains: ['*'], routes: [plainRoute(route, origin)], origin, message };
  }
  const name = scope.outboundTrafficPolicy === 'ALLOW_ANY' ? ALLOW_ANY : ALLOW_ANY_DYNAMIC_DNS;
  const route = {
    name,
    match: { prefix: '/' },
    route: { cluster: catchAllCluster(context), timeout: '0s', maxGrpcTimeout: '0s' },
  };
  return { name, domains: ['*'], routes: [plainRoute(route, origin)], origin, message };
}

/** Where undeclared hosts are sent: a Sidecar may name a service for them. */
export function catchAllCluster(context: TranslationContext): string {
  const { egressProxy, outboundTrafficPolicy } = context.scope;
  if (outboundTrafficPolicy === 'ALLOW_ANY_DYNAMIC_DNS') return ALLOW_ANY_DYNAMIC_DNS_CLUSTER;
  if (egressProxy?.host === undefined) return PASSTHROUGH;
  const host = context.model.resolveHost(egressProxy.host, context.proxy.namespace);
  return outboundCluster(egressProxy.port?.number ?? 0, egressProxy.subset ?? '', host);
}
