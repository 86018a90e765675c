import type { TLSSocket } from 'node:tls';
import { crypto } from '../node-tls.ts';

export const CERTIFICATE_UNKNOWN = 46;
export const ILLEGAL_PARAMETER = 47;
export const BAD_CERTIFICATE_HASH_VALUE = 114;
export const CERTIFICATE_REQUIRED = 116;

const UNKNOWN_CA = 48;
const BAD_CERTIFICATE = 42;
const CERTIFICATE_EXPIRED = 45;

/** What BoringSSL answers a chain with that its verifier does not take, by Node's code for that. */
const OF_CHAIN: Readonly<Record<string, number>> = {
  CERT_CHAIN_TOO_LONG: UNKNOWN_CA,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  INVALID_CA: UNKNOWN_CA,
  PATH_LENGTH_EXCEEDED: UNKNOWN_CA,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_GET_CRL: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  CERT_NOT_YET_VALID: CERTIFICATE_EXPIRED,
  CERT_REJECTED: BAD_CERTIFICATE,
  CERT_UNTRUSTED: BAD_CERTIFICATE,
  CRL_NOT_YET_VALID: BAD_CERTIFICATE,
  CERT_SIGNATURE_FAILURE: 51,
  CRL_SIGNATURE_FAILURE: 51,
  CERT_HAS_EXPIRED: CERTIFICATE_EXPIRED,
  CRL_HAS_EXPIRED: CERTIFICATE_EXPIRED,
  CERT_REVOKED: 44,
  INVALID_PURPOSE: 43,
};

export function chainAlert(code: string): number {
  return OF_CHAIN[code] ?? CERTIFICATE_UNKNOWN;
}

export interface Alarm {
  /** Writes an alert to the wire beneath a handshake that has just ended, before anything else leaves it. */
  ring(alert: number): void;
  /** The peer has been judged: the secret is of no use any more. */
  forget(): void;
}

/** Whose records an alert is one of. */
const SECRETS = { server: 'SERVER_TRAFFIC_SECRET_0', client: 'CLIENT_HANDSHAKE_TRAFFIC_SECRET' } as const;
/** TLS 1.2 has one secret. */
const MASTER_SECRET = 'CLIENT_RANDOM';

/**
 * Node judges a peer when the handshake is complete, at which point neither this side's last messages nor tickets have left:
 * an alert may still take their place. Below TLS 1.3 that goes as clear text, as it would have at the peer's certificate; in
 * TLS 1.3 it is the first record under a key (RFC 8446, 7.2) that the log of secrets tells. `onMasterSecret`: that of TLS 1.2 is
 * there, for which a client has seen the certificate and sent nothing since.
 */
export function alarm(
  secure: TLSSocket,
  side: keyof typeof SECRETS,
  write: (record: Buffer) => void,
  onMasterSecret?: () => void,
): Alarm {
  const label = SECRETS[side];
  let secret: Buffer | undefined;
  const onSecret = (line: Buffer): void => {
    // The client's random number is between the label and the secret.
    const [name, , hex] = line.toString('latin1').trim().split(' ');
    if (name === label) secret = Buffer.from(hex!, 'hex');
    else if (name === MASTER_SECRET) onMasterSecret?.();
  };
  secure.on('keylog', onSecret);
  return {
    ring: (alert) => {
      if (secret !== undefined) write(sealed(secure.getCipher().name, secret, alert));
      else if (secure.getProtocol() !== 'TLSv1.3') write(clearAlert(alert));
    },
    forget: () => {
      secure.off('keylog', onSecret);
      secret?.fill(0);
      secret = undefined;
    },
  };
}

/** A record with a fatal alert, of TLS 1.2 or of the minor version that is given. */
export function clearAlert(alert: number, minor = 3): Buffer {
  return Buffer.from([ALERT, 3, minor, 0, 2, FATAL, alert]);
}

const ALERT = 21;
const FATAL = 2;
const TAG_BYTES = 16;
const SUITES = {
  TLS_AES_128_GCM_SHA256: { cipher: 'aes-128-gcm', keyBytes: 16, hash: 'sha256' },
  TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', keyBytes: 32, hash: 'sha384' },
  TLS_CHACHA20_POLY1305_SHA256: { cipher: 'chacha20-poly1305', keyBytes: 32, hash: 'sha256' },
} as const;

/** The first record under a secret: the nonce is the IV itself. */
function sealed(suite: string, secret: Buffer, alert: number): Buffer {
  const { cipher, keyBytes, hash } = SUITES[suite as keyof typeof SUITES];
  const key = expand(hash, secret, 'key', keyBytes);
  const nonce = expand(hash, secret, 'iv', 12);
  const header = Buffer.from([23, 3, 3, 0, 3 + TAG_BYTES]);
  const seal = crypto().createCipheriv(cipher as 'aes-128-gcm', key, nonce, { authTagLength: TAG_BYTES });
  seal.setAAD(header);
  const text = seal.update(Buffer.from([FATAL, alert, ALERT]));
  seal.final();
  return Buffer.concat([header, text, seal.getAuthTag()]);
}

/** HKDF-Expand-Label without a context, of no more bytes than the hash has. */
function expand(hash: string, secret: Buffer, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, bytes, name.length]), name, Buffer.from([0, 1])]);
  return crypto().createHmac(hash, secret).update(info).digest().subarray(0, bytes);
}
