import type { X509Certificate } from 'node:crypto';
import { crypto } from '../../node-tls.ts';
import type { types } from '@mizzen/xds';
import { compileFilterState } from '../../filter-state/match.ts';
import { OBJECT_FACTORIES } from '../../filter-state/objects.ts';
import type { FilterStateObject } from '../../filter-state/state.ts';
import type { CompileContext } from '../../program/context.ts';
import { compileCidr } from '../../program/match/cidr.ts';
import { compileString, type StringMatch } from '../../program/match/string.ts';
import { messageOf } from '../../program/read-resource.ts';
import { compileSanMatcher } from '../../program/tls-validation.ts';
import { hasName } from '../../tls/verify.ts';
import type { Path } from '../../program/path.ts';
import type { ConnectionInfo, PeerTls, StreamInfo } from '../../types.ts';
import { headerRule, metadataRule, pathRule } from './common.ts';
import { all, always, any, never, not, type Rule } from './rule.ts';

const MTLS = 'envoy.extensions.rbac.principals.mtls_authenticated.v3.Config';

/** The filter state in which Istio keeps the identity of the peer. */
const PEER_PRINCIPAL = 'io.istio.peer_principal';

/** Who asks. After a refusal: a rule that never holds. */
export function compilePrincipal(context: CompileContext, principal: types.rbac.Principal, path: Path): Rule {
  const set = (name: 'andIds' | 'orIds'): Rule[] =>
    (principal[name]?.ids ?? []).map((rule, i) => compilePrincipal(context, rule, [...path, name, 'ids', i]));
  if (principal.any !== undefined) return always;
  if (principal.andIds !== undefined) return all(set('andIds'));
  if (principal.orIds !== undefined) return any(set('orIds'));
  if (principal.notId !== undefined) return not(compilePrincipal(context, principal.notId, [...path, 'notId']));
  if (principal.authenticated !== undefined) {
    const { principalName } = principal.authenticated;
    if (principalName === undefined) return { text: 'the client came over TLS', test: ({ tls }) => tls !== undefined };
    const name = compileString(context, principalName, [...path, 'authenticated', 'principalName']);
    return {
      text: `identity of the client ${name.text}`,
      test: ({ tls }) => tls !== undefined && principalMatches(tls, name),
    };
  }
  if (principal.sourceIp !== undefined)
    return addressRule(context, principal.sourceIp, 'address of the connection', 'connection', [...path, 'sourceIp']);
  if (principal.directRemoteIp !== undefined) {
    return addressRule(context, principal.directRemoteIp, 'address of the connection', 'socket', [
      ...path,
      'directRemoteIp',
    ]);
  }
  if (principal.remoteIp !== undefined)
    return addressRule(context, principal.remoteIp, 'address of the client', 'client', [...path, 'remoteIp']);
  if (principal.header !== undefined) return headerRule(context, principal.header, [...path, 'header']);
  if (principal.urlPath !== undefined) return pathRule(context, principal.urlPath, [...path, 'urlPath']);
  if (principal.metadata !== undefined)
    return metadataRule(context, principal.metadata, 'DYNAMIC', [...path, 'metadata']);
  if (principal.sourcedMetadata !== undefined) {
    const { metadataMatcher, metadataSource } = principal.sourcedMetadata;
    return metadataRule(context, metadataMatcher ?? {}, metadataSource ?? 'DYNAMIC', [
      ...path,
      'sourcedMetadata',
      'metadataMatcher',
    ]);
  }
  if (principal.filterState !== undefined)
    return filterStateRule(context, principal.filterState, [...path, 'filterState']);
  if (principal.custom !== undefined) return customRule(context, principal.custom, [...path, 'custom']);
  context.refuse(path, 'must say who it is');
  return never;
}

/** Clients that have shown a certificate which was verified, and has a name that fits where one is asked for. */
function customRule(context: CompileContext, { typedConfig }: types.core.TypedExtensionConfig, path: Path): Rule {
  const type = messageOf(typedConfig?.['@type'] ?? '');
  const at = [...path, 'typedConfig'];
  if (type !== MTLS) {
    context.refuse(at, `\`${type}\` is not a principal that is supported`);
    return never;
  }
  const { sanMatcher, anyValidatedClientCertificate } = typedConfig as types.mtlsPrincipal.Config;
  if (sanMatcher === undefined) {
    if (anyValidatedClientCertificate !== true) context.refuse(at, 'must say which certificates');
    return { text: 'the client has shown a certificate that was verified', test: ({ tls }) => tls?.verified === true };
  }
  const san = compileSanMatcher(context, sanMatcher, [...at, 'sanMatcher']);
  return {
    text: `a name of the client's certificate ${san.text}`,
    test: ({ tls }) => tls?.verified === true && hasName(certificateOf(tls), san),
  };
}

const certificates = new WeakMap<PeerTls, X509Certificate>();

function certificateOf(tls: PeerTls): X509Certificate {
  const known = certificates.get(tls);
  if (known !== undefined) return known;
  const read = new (crypto().X509Certificate)(tls.peerCertificatePem());
  certificates.set(tls, read);
  return read;
}

/** Any URI name of the certificate, then any DNS name, then its subject. */
function principalMatches(tls: PeerTls, name: StringMatch): boolean {
  for (const san of tls.uriSans) if (name.matches(san)) return true;
  for (const san of tls.dnsSans) if (name.matches(san)) return true;
  return name.matches(tls.subject);
}

function addressRule(
  context: CompileContext,
  range: types.core.CidrRange,
  what: string,
  of: 'socket' | 'connection' | 'client',
  path: Path,
): Rule {
  const cidr = compileCidr(context, range, path);
  if (cidr === undefined) return never;
  const text = `${what} is in ${cidr.text}`;
  if (of === 'connection') return { text, test: (connection) => cidr.contains(connection.directRemoteAddress) };
  if (of === 'socket')
    return {
      text,
      test: (connection) => cidr.contains(connection.socketEnds?.remoteAddress ?? connection.directRemoteAddress),
    };
  return {
    text,
    test: (connection, _request, info) => cidr.contains(info?.remoteAddress ?? connection.directRemoteAddress),
  };
}

/** What Istio's proxy notes of a client that has shown who it is. */
function peerPrincipal({ tls }: ConnectionInfo): FilterStateObject | undefined {
  const san = tls?.authenticated === true ? tls.uriSans[0] : undefined;
  return san === undefined ? undefined : OBJECT_FACTORIES['envoy.string']!(san);
}

function filterStateRule(context: CompileContext, matcher: types.matcher.FilterStateMatcher, path: Path): Rule {
  const { key, text, matches } = compileFilterState(context, matcher, path);
  const find = (connection: ConnectionInfo, info: StreamInfo | undefined): FilterStateObject | undefined =>
    info?.filterState?.get(key) ?? connection.filterState?.get(key);
  if (key !== PEER_PRINCIPAL)
    return { text: `filter state ${key} ${text}`, test: (connection, _, info) => matches(find(connection, info)) };
  return {
    text: `identity of the client ${text}`,
    test: (connection, _, info) => matches(find(connection, info) ?? peerPrincipal(connection)),
  };
}
