/**
 * node:tls and node:crypto, loaded when somebody speaks TLS or computes a hash: together they take as long as a third of
 * what starting a proxy takes, and most configurations of a laptop need neither.
 */
import type * as Crypto from 'node:crypto';
import type { Duplex } from 'node:stream';
import type * as Tls from 'node:tls';

let loadedTls: typeof Tls | undefined;
let loadedCrypto: typeof Crypto | undefined;

export function tls(): typeof Tls {
  return (loadedTls ??= process.getBuiltinModule('node:tls'));
}

export function crypto(): typeof Crypto {
  return (loadedCrypto ??= process.getBuiltinModule('node:crypto'));
}

export function isTls(socket: Duplex): socket is Tls.TLSSocket {
  return 'encrypted' in socket;
}
