import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CaError } from './error.ts';
import { oid } from './der.ts';

/** Signature algorithms by object identifier, with the hash that node:crypto wants; null: the key says it. */
const ALGORITHMS: ReadonlyMap<string, string | null> = new Map(
  (
    [
      ['1.2.840.113549.1.1.11', 'sha256'],
      ['1.2.840.113549.1.1.12', 'sha384'],
      ['1.2.840.113549.1.1.13', 'sha512'],
      ['1.2.840.10045.4.3.2', 'sha256'],
      ['1.2.840.10045.4.3.3', 'sha384'],
      ['1.2.840.10045.4.3.4', 'sha512'],
      ['1.3.101.112', null],
    ] as const
  ).map(([dotted, hash]) => [oid(dotted).toString('hex'), hash]),
);
const SMALLEST_RSA = 2048;
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/**
 * The public key of a certificate request (PKCS #10, RFC 2986), whose holder signed it with the private one. What else it
 * asks for is not read: names come from whoever authenticated the request.
 * @throws CaError `CA_CSR_INVALID`
 */
export function readRequest(pem: string): KeyObject {
  const match =
    /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/.exec(
      pem,
    );
  if (match === null) throw invalid('it is not PEM of a CERTIFICATE REQUEST');
  const whole = read(Buffer.from(match[1] ?? '', 'base64'), 0, SEQUENCE);
  const info = read(whole.contents, 0, SEQUENCE);
  const algorithm = read(whole.contents, info.end, SEQUENCE);
  const signature = read(whole.contents, algorithm.end, BIT_STRING);
  const version = read(info.contents, 0, INTEGER);
  const subject = read(info.contents, version.end, SEQUENCE);
  const spki = read(info.contents, subject.end, SEQUENCE);
  const hash = ALGORITHMS.get(read(algorithm.contents, 0, OID).whole.toString('hex'));
  if (hash === undefined) throw invalid('it is signed in a way that is not supported');
  const key = publicKey(spki.whole);
  // The first byte of a BIT STRING counts the unused bits of its last.
  if (!verified(hash, info.whole, key, signature.contents.subarray(1)))
    throw invalid('its signature is not that of its key');
  return key;
}

function publicKey(spki: Buffer): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    throw invalid('its public key cannot be read', cause);
  }
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && modulusLength < SMALLEST_RSA) {
    throw invalid(`its RSA key has ${modulusLength} bits; at least ${SMALLEST_RSA} are wanted`);
  }
  if (key.asymmetricKeyType === 'ec' && !CURVES.includes(namedCurve)) throw invalid('its key is of an unusual curve');
  if (!['rsa', 'ec', 'ed25519'].includes(key.asymmetricKeyType ?? '')) throw invalid('its key is of an unusual kind');
  return key;
}

function verified(hash: string | null, data: Buffer, key: KeyObject, signature: Buffer): boolean {
  try {
    return verify(hash, data, key, signature);
  } catch {
    return false;
  }
}

const [INTEGER, BIT_STRING, OID, SEQUENCE] = [0x02, 0x03, 0x06, 0x30];

interface Element {
  readonly contents: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
  /** Where the next one begins. */
  readonly end: number;
}

/** The element at `at`, which must have that tag (ITU-T X.690, definite lengths). */
function read(bytes: Buffer, at: number, tag: number): Element {
  const first = bytes[at + 1];
  if (bytes[at] !== tag || first === undefined) throw invalid('it is not a certificate request');
  let [start, length] = [at + 2, first];
  if (first >= 0x80) {
    const digits = first - 0x80;
    if (digits < 1 || digits > 3 || start + digits > bytes.length) throw invalid('it is not a certificate request');
    length = bytes.readUIntBE(start, digits);
    start += digits;
  }
  const end = start + length;
  if (end > bytes.length) throw invalid('it is cut short');
  return { contents: bytes.subarray(start, end), whole: bytes.subarray(at, end), end };
}

function invalid(reason: string, cause?: unknown): CaError {
  return new CaError('CA_CSR_INVALID', `the certificate request is refused: ${reason}`, { cause });
}
