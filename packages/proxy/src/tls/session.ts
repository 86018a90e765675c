import type { TLSSocket } from 'node:tls';
import { DER, derChildren, readDer } from './der.ts';

/** What access logs ask of a session; empty: there is none. */
export interface TlsSession {
  /** The group of the key exchange, by BoringSSL's name. */
  readonly group: string;
  /** Lowercase hexadecimal. */
  readonly id: string;
}

/** What Node keeps to itself of a TLSSocket. */
interface HasNative extends TLSSocket {
  readonly ssl?: { getSession(): Buffer | undefined } | null;
}

export const NO_SESSION: TlsSession = { group: '', id: '' };
/** By number. */
export const GROUP_NAMES: Readonly<Record<number, string>> = {
  23: 'P-256',
  24: 'P-384',
  25: 'P-521',
  29: 'X25519',
  0x11ec: 'X25519MLKEM768',
};
const GROUP = 0xb3;

/**
 * Read from the session as OpenSSL writes it: `getEphemeralKeyInfo` knows groups on the client's side only, and an ID has
 * no function of its own. It must be asked for while the connection is open.
 */
export function sessionOf(socket: TLSSocket): TlsSession {
  const written = (socket as HasNative).ssl?.getSession();
  if (written === undefined) return NO_SESSION;
  // Version of the format, version of TLS, cipher, ID, secret, and then what has a tag of its own.
  const parts = derChildren(readDer(written)[0]);
  const group = parts.find(({ tag }) => tag === GROUP);
  const number = group === undefined ? undefined : derChildren(group)[0]?.content;
  const id = parts[3];
  return {
    group: number === undefined ? '' : (GROUP_NAMES[number.readUIntBE(0, number.length)] ?? ''),
    id: id?.tag === DER.octets && socket.getProtocol() !== 'TLSv1.3' ? id.content.toString('hex') : '',
  };
}
