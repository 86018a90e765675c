import { isIP } from 'node:net';
import { upstreamOverrides, type UpstreamOverrides } from '../filter-state/upstream.ts';
import type { ClusterProgram } from '../program/types.ts';
import type { ExpectedName } from '../tls/client.ts';
import type { AlpnOffer, LbContext, UpstreamHost } from '../types.ts';
import { configuredName } from './connect.ts';
import type { ClusterHost } from './host.ts';
import { endsOf } from './proxy-protocol.ts';

/**
 * A host as what it is chosen for sees it, with connections of its own where they depend on that: with `autoSni` the server
 * name is the request's, unless that is an address; with `autoSanValidation` the host must have what the request is for
 * among its names, be it an address. A PROXY protocol header names the request's client.
 */
export function namedFor(context: LbContext, host: ClusterHost): UpstreamHost {
  const { program } = host.cluster;
  const overrides = upstreamOverrides(context);
  const { tls, proxyProtocol } = host.transport;
  // As in Envoy each name has its own connections in plain text, too, though nobody is told it there.
  const requested = host.internalListener === undefined ? requestedName(program, context, host) : undefined;
  const name = overrides === undefined || tls === undefined ? requested : overridden(overrides, requested, host);
  const client = proxyProtocol === undefined || context.client === undefined ? undefined : endsOf(context.client);
  const alpn = tls === undefined ? undefined : (overrides?.alpn ?? offered(program, context));
  const owner = program.poolPerConnection ? context.stream?.info.connection.id : undefined;
  return name === undefined && client === undefined && alpn === undefined && owner === undefined
    ? host
    : host.named(name, client, alpn, owner);
}

/** A cluster may say, as Istio has it, that its own names stay. */
function offered({ metadata, http }: ClusterProgram, { alpn }: LbContext): AlpnOffer | undefined {
  if (alpn === undefined || metadata?.['istio']?.['alpn_override'] === 'false') return undefined;
  return http.followsDownstream === true ? alpn.asDownstream : alpn.otherwise;
}

/** Undefined: the request has no say. */
function requestedName(
  { http }: ClusterProgram,
  { authority, stream }: LbContext,
  host: ClusterHost,
): ExpectedName | undefined {
  const { autoSni, autoSanValidation, autoSniHeader } = http;
  // Connections without requests have no authority to speak of.
  if ((!autoSni && !autoSanValidation) || (stream !== undefined && stream.request === undefined)) return undefined;
  const named = autoSniHeader === '' ? undefined : stream?.request?.headers.getJoined(autoSniHeader);
  const asked = named === undefined || named === '' ? authority : named;
  const name = asked.replace(/:\d+$/, '');
  const bare = name.replace(/[[\]]/g, '');
  const { transport } = host;
  const serverName = autoSni && name !== '' && isIP(bare) === 0 ? name : configuredName(host, transport).serverName;
  const verified = transport.verifyServerName && serverName !== '';
  return { serverName, verified, ...(autoSanValidation ? { subjectAltNames: [bare] } : {}) };
}

/** The filter state has the last word on the server name, and on the names that the certificate must have. */
function overridden(
  { serverName, subjectAltNames }: UpstreamOverrides,
  requested: ExpectedName | undefined,
  host: ClusterHost,
): ExpectedName | undefined {
  if (serverName === undefined && subjectAltNames === undefined) return requested;
  const own = requested ?? configuredName(host, host.transport);
  return {
    ...own,
    ...(serverName === undefined ? {} : { serverName }),
    ...(subjectAltNames === undefined ? {} : { subjectAltNames }),
  };
}
