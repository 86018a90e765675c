import type { KeyObject } from 'node:crypto';
import { crypto } from '../../node-tls.ts';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import { Status } from './status.ts';
import type { Token } from './token.ts';

interface Key {
  readonly kid: string;
  /** Empty: any that the kind of key can do. */
  readonly alg: string;
  readonly kind: 'RSA' | 'EC' | 'oct' | 'OKP';
  readonly secret: Buffer | undefined;
  readonly key: KeyObject | undefined;
}
export type Jwks = readonly Key[];

/** Keys that cannot be read are left out; a status when none is left, or when it is no key set. */
export function parseJwks(text: string): Jwks | Status {
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(text) as JsonValue;
  } catch {
    return Status.JwksBadJson;
  }
  const list =
    typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as JsonObject)['keys']
      : undefined;
  if (list === undefined) return Status.JwksNoKeys;
  if (!Array.isArray(list)) return Status.JwksBadKeys;
  const keys = (list as readonly JsonValue[]).flatMap((item) => readKey(item) ?? []);
  return keys.length === 0 ? Status.NoValidKeys : keys;
}

function readKey(item: JsonValue): Key | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const jwk = item as JsonObject;
  const text = (name: string): string => (typeof jwk[name] === 'string' ? jwk[name] : '');
  const kind = text('kty');
  const common = { kid: text('kid'), alg: text('alg') };
  if (kind === 'oct') return { ...common, kind, secret: Buffer.from(text('k'), 'base64url'), key: undefined };
  if (kind !== 'RSA' && kind !== 'EC' && kind !== 'OKP') return undefined;
  try {
    // Only what the public half needs: a set that holds private keys works as well.
    const { kty, n, e, crv, x, y } = jwk as Record<string, string>;
    return {
      ...common,
      kind,
      secret: undefined,
      key: crypto().createPublicKey({ key: { kty, n, e, crv, x, y }, format: 'jwk' }),
    };
  } catch {
    return undefined;
  }
}

/**
 * Tries the keys that fit by id and algorithm. As in Envoy the kind of key decides how, so that an RSA key is never an
 * HMAC secret; of the token's algorithm only the hash and the padding count.
 */
export function verifySignature(token: Token, jwks: Jwks): Status {
  const signed = Buffer.from(token.signed, 'latin1');
  let fits = false;
  for (const key of jwks) {
    if (token.kid !== '' && key.kid !== '' && key.kid !== token.kid) continue;
    if (key.alg !== '' && key.alg !== token.alg) continue;
    fits = true;
    if (key.kind === 'OKP' && token.signature.length !== 64) return Status.Ed25519WrongLength;
    if (checks(key, token.alg, signed, token.signature)) return Status.Ok;
  }
  return fits ? Status.VerificationFail : Status.KidAlgMismatch;
}

function checks({ kind, key, secret }: Key, alg: string, signed: Buffer, signature: Buffer): boolean {
  const hash = alg.endsWith('384') ? 'sha384' : alg.endsWith('512') ? 'sha512' : 'sha256';
  try {
    if (kind === 'oct') {
      const mac = crypto()
        .createHmac(hash, secret ?? '')
        .update(signed)
        .digest();
      return secret !== undefined && mac.length === signature.length && crypto().timingSafeEqual(mac, signature);
    }
    if (key === undefined) return false;
    switch (kind) {
      case 'RSA':
        if (!alg.startsWith('PS')) return crypto().verify(hash, signed, key, signature);
        return crypto().verify(
          hash,
          signed,
          {
            key,
            padding: crypto().constants.RSA_PKCS1_PSS_PADDING,
            saltLength: crypto().constants.RSA_PSS_SALTLEN_DIGEST,
          },
          signature,
        );
      case 'EC':
        return crypto().verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
      case 'OKP':
        return crypto().verify(null, signed, key, signature);
    }
  } catch {
    return false;
  }
}
