import type { LogSource } from '../../program/types.ts';
import type { PeerTls, StreamInfo } from '../../types.ts';
import { LOCAL_FIELDS, PEER_FIELDS, validity } from '../access-log-certificates.ts';
import { serverName, upstreamPeer } from '../access-log-upstream.ts';
import { text, type Operator, type OperatorFactory } from './operator.ts';

const down = (value: (tls: PeerTls) => string | undefined): OperatorFactory =>
  text((i) => (i.connection.tls === undefined ? undefined : value(i.connection.tls)));
const up = (value: (tls: PeerTls) => string | undefined): OperatorFactory =>
  text((i) => {
    const peer = upstreamPeer(i);
    return peer === undefined ? undefined : value(peer);
  });
const peer =
  (value: (tls: PeerTls) => string | undefined) =>
  (tls: PeerTls): string | undefined =>
    tls.authenticated ? value(tls) : undefined;

/** One operator for each field, by prefix and name. */
function named(
  prefix: string,
  fields: Readonly<Record<string, (tls: PeerTls) => string | undefined>>,
  make: (value: (tls: PeerTls) => string | undefined) => OperatorFactory,
): Record<string, OperatorFactory> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [prefix + name, make(value)]));
}
function pick<T>(all: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, all[name]!]));
}
const downstreamPeer = ({ connection: { tls } }: StreamInfo): PeerTls | undefined =>
  tls?.authenticated === true ? tls : undefined;

function certificateTime(
  which: 'validFrom' | 'validTo',
  of: (info: StreamInfo) => PeerTls | undefined,
): OperatorFactory {
  return (argument) => {
    const time = validity(which, argument);
    return (source) => {
      const peer = of(source.info);
      return peer === undefined ? undefined : time(peer);
    };
  };
}

/** What TLS agreed on, on both sides. */
export const TLS_OPERATORS: Readonly<Record<string, OperatorFactory>> = {
  UPSTREAM_SERVER_NAME: text(serverName),
  UPSTREAM_TLS_VERSION: up((t) => t.version),
  UPSTREAM_TLS_CIPHER: up((t) => t.cipher),
  UPSTREAM_TLS_GROUP: up((t) => t.session?.group),
  UPSTREAM_TLS_SESSION_ID: up((t) => t.session?.id),
  ...named('UPSTREAM_LOCAL_', pick(LOCAL_FIELDS, ['URI_SAN', 'DNS_SAN', 'IP_SAN']), up),
  ...named('UPSTREAM_PEER_', pick(PEER_FIELDS, ['URI_SAN', 'DNS_SAN', 'IP_SAN', 'SUBJECT', 'ISSUER', 'CERT']), up),
  UPSTREAM_PEER_CERT_V_START: certificateTime('validFrom', upstreamPeer),
  UPSTREAM_PEER_CERT_V_END: certificateTime('validTo', upstreamPeer),
  ...named('DOWNSTREAM_LOCAL_', LOCAL_FIELDS, down),
  ...named('DOWNSTREAM_PEER_', PEER_FIELDS, (value) => down(peer(value))),
  DOWNSTREAM_PEER_CERT_V_START: certificateTime('validFrom', downstreamPeer),
  DOWNSTREAM_PEER_CERT_V_END: certificateTime('validTo', downstreamPeer),
  TLS_JA3_FINGERPRINT: text((i) => i.connection.ja3),
  TLS_JA4_FINGERPRINT: text((i) => i.connection.ja4),
  DOWNSTREAM_TLS_VERSION: down((t) => t.version),
  DOWNSTREAM_TLS_CIPHER: down((t) => t.cipher),
  DOWNSTREAM_TLS_GROUP: down((t) => t.session?.group),
  DOWNSTREAM_TLS_SESSION_ID: down((t) => t.session?.id),
  REQUESTED_SERVER_NAME: requestedServerName,
};

/** `WHICH:HOST`: the name that TLS asks for, that of the request, or the other where there is none. */
function requestedServerName(argument: string | undefined): ReturnType<OperatorFactory> {
  const [which = '', host = ''] = (argument ?? '').split(':');
  const ofTls = ({ info: { connection } }: LogSource): string | undefined => asHostName(connection.requestedServerName);
  const ofHead = hostOf(host === '' ? 'ORIG_OR_HOST' : host);
  if (ofHead === undefined) return { problem: `\`${host}\` is not \`ORIG\`, \`HOST\` or \`ORIG_OR_HOST\`` };
  const ofRequest: Operator = (source) => (source.info.headRefused === true ? undefined : ofHead(source));
  switch (which) {
    case '':
    case 'SNI_ONLY':
      return ofTls;
    case 'SNI_FIRST':
      return (source) => ofTls(source) ?? ofRequest(source);
    case 'HOST_FIRST':
      return (source) => ofRequest(source) ?? ofTls(source);
    default:
      return { problem: `\`${which}\` is not \`SNI_ONLY\`, \`SNI_FIRST\` or \`HOST_FIRST\`` };
  }
}

/** The request's host as it came, as it is, or the first of these that there is. */
function hostOf(which: string): Operator | undefined {
  const now = ({ request }: LogSource): string | undefined =>
    request === undefined || (request.authority === '' && request.hostIsEmpty !== true) ? undefined : request.authority;
  const before = ({ request }: LogSource): string | undefined => request?.headers.get('x-envoy-original-host');
  switch (which) {
    case 'HOST':
      return now;
    case 'ORIG':
      return before;
    case 'ORIG_OR_HOST':
      return (source) => before(source) ?? now(source);
    default:
      return undefined;
  }
}

/** Anybody can ask for any bytes: those that no host name has are shown as such. */
function asHostName(name: string): string | undefined {
  if (name === '') return undefined;
  return /[^\w.-]/.test(name) ? `invalid:${name.replaceAll(/[^\w.-]/g, '_')}` : name;
}
