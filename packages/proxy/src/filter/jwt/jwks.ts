import { createHmac, createPublicKey, timingSafeEqual, verify, constants, type KeyObject } from 'node:crypto';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import { Status } from './status.ts';
import type { Algorithm, Token } from './token.ts';

interface Key {
  readonly kid: string;
  /** Empty: any that the kind of key can do. */
  readonly alg: string;
  readonly kind: 'RSA' | 'EC' | 'oct' | 'OKP';
  readonly curve: string;
  readonly secret: Buffer | undefined;
  readonly key: KeyObject | undefined;
}
export type Jwks = readonly Key[];

/** Keys that cannot be read are left out; undefined when none is left, or when it is no key set. */
export function parseJwks(text: string): Jwks | undefined {
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
  const list =
    typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as JsonObject)['keys']
      : undefined;
  if (!Array.isArray(list)) return undefined;
  const keys = (list as readonly JsonValue[]).flatMap((item) => readKey(item) ?? []);
  return keys.length === 0 ? undefined : keys;
}

function readKey(item: JsonValue): Key | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const jwk = item as JsonObject;
  const text = (name: string): string => (typeof jwk[name] === 'string' ? jwk[name] : '');
  const kind = text('kty');
  const common = { kid: text('kid'), alg: text('alg'), curve: text('crv') };
  if (kind === 'oct') return { ...common, kind, secret: Buffer.from(text('k'), 'base64url'), key: undefined };
  if (kind !== 'RSA' && kind !== 'EC' && kind !== 'OKP') return undefined;
  try {
    // Only what the public half needs: a set that holds private keys works as well.
    const { kty, n, e, crv, x, y } = jwk as Record<string, string>;
    return {
      ...common,
      kind,
      secret: undefined,
      key: createPublicKey({ key: { kty, n, e, crv, x, y }, format: 'jwk' }),
    };
  } catch {
    return undefined;
  }
}

/** Tries the keys that fit by id and algorithm. */
export function verifySignature(token: Token, jwks: Jwks): Status {
  const signed = Buffer.from(token.signed, 'latin1');
  let fits = false;
  for (const key of jwks) {
    if (token.kid !== '' && key.kid !== '' && key.kid !== token.kid) continue;
    if (key.alg !== '' && key.alg !== token.alg) continue;
    fits = true;
    if (checks(key, token.alg as Algorithm, signed, token.signature)) return Status.Ok;
  }
  return fits ? Status.VerificationFail : Status.KidAlgMismatch;
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** The kind of key must fit the algorithm: an RSA key is never an HMAC secret. */
function checks(key: Key, alg: Algorithm, signed: Buffer, signature: Buffer): boolean {
  const hash = `sha${alg.slice(2)}`;
  try {
    switch (alg.slice(0, 2)) {
      case 'RS':
        return key.kind === 'RSA' && key.key !== undefined && verify(hash, signed, key.key, signature);
      case 'PS':
        return (
          key.kind === 'RSA' &&
          key.key !== undefined &&
          verify(
            hash,
            signed,
            { key: key.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
            signature,
          )
        );
      case 'ES':
        return (
          key.kind === 'EC' &&
          key.curve === CURVES[alg] &&
          key.key !== undefined &&
          verify(hash, signed, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature)
        );
      case 'HS': {
        if (key.kind !== 'oct' || key.secret === undefined) return false;
        const mac = createHmac(hash, key.secret).update(signed).digest();
        return mac.length === signature.length && timingSafeEqual(mac, signature);
      }
      default:
        return key.kind === 'OKP' && key.key !== undefined && verify(null, signed, key.key, signature);
    }
  } catch {
    return false;
  }
}
