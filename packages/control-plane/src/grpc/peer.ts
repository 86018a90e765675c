import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { Identity } from '../ca/identity.ts';

/** What is known of whoever opened a connection, before it says anything. */
export interface Peer {
  /** `unix`: only this user can open the socket. `plain`: anybody on this machine can. `tls`: see the rest. */
  readonly kind: 'unix' | 'plain' | 'tls';
  /** For messages, e.g. `127.0.0.1:40123`. */
  readonly address: string;
  /** It is a process of the user who runs this one, who has the mesh's keys anyway. */
  readonly sameUser: boolean;
  /** From a certificate of the mesh, verified. */
  readonly identity: Identity | undefined;
  /** The bearer token that came with the call, not verified. */
  readonly token: string | undefined;
}

/** The SPIFFE id in a verified certificate, taken apart; undefined when it has none or several. */
export function identityOf(certificate: PeerCertificate): Identity | undefined {
  const names = (new X509Certificate(certificate.raw).subjectAltName ?? '').split(', ');
  const ids = names.filter((name) => name.startsWith('URI:spiffe://'));
  return ids.length === 1 ? parseSpiffeId(ids[0]!.slice('URI:'.length)) : undefined;
}

/** `spiffe://TRUSTDOMAIN/ns/NAMESPACE/sa/SERVICEACCOUNT`; undefined when it is not of that form. */
export function parseSpiffeId(id: string): Identity | undefined {
  const match = /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(id);
  if (match === null) return undefined;
  const [, trustDomain = '', namespace = '', serviceAccount = ''] = match;
  return { trustDomain, namespace, serviceAccount };
}

const BEARER = /^bearer +(\S+)$/i;

/** The token in an `authorization` header. */
export function bearerToken(values: readonly (string | Buffer)[]): string | undefined {
  const [value] = values;
  return typeof value === 'string' ? BEARER.exec(value)?.[1] : undefined;
}
