import { crypto } from '../../node-tls.ts';
import type { Key } from './jwk.ts';
import type { Jwks } from './jwks.ts';
import { sized } from './number-bytes.ts';
import { Status } from './status.ts';
import type { Token } from './token.ts';

/**
 * Tries the keys that fit by id and algorithm. As in Envoy the kind of key decides how, so that an RSA key is never an
 * HMAC secret; of the token's algorithm the hash counts where it is one for that kind.
 */
export function verifySignature(token: Token, jwks: Jwks): Status {
  const signed = Buffer.from(token.signed, 'latin1');
  let fits = false;
  for (const key of jwks) {
    if (token.kid !== '' && key.kid !== '' && key.kid !== token.kid) continue;
    if (key.alg !== '' && key.alg !== token.alg) continue;
    fits = true;
    if (key.kind === 'OKP' && token.signature.length !== ED25519_SIGNATURE) return Status.Ed25519WrongLength;
    if (checks(key, token.alg, signed, token.signature)) return Status.Ok;
  }
  return fits ? Status.VerificationFail : Status.KidAlgMismatch;
}

const ED25519_SIGNATURE = 64;

/** Algorithms of a family name their hash; those of another leave SHA-256. */
function hashOf(alg: string, family: 'RS' | 'PS' | 'ES' | 'HS'): string {
  return alg === `${family}384` ? 'sha384' : alg === `${family}512` ? 'sha512' : 'sha256';
}

function checks({ kind, key, secret, half }: Key, alg: string, signed: Buffer, signature: Buffer): boolean {
  try {
    if (kind === 'oct') {
      const mac = crypto()
        .createHmac(hashOf(alg, 'HS'), secret ?? '')
        .update(signed)
        .digest();
      return mac.length === signature.length && crypto().timingSafeEqual(mac, signature);
    }
    if (key === undefined) return false;
    switch (kind) {
      case 'RSA':
        if (alg.startsWith('RS')) return crypto().verify(hashOf(alg, 'RS'), signed, key, signature);
        if (!alg.startsWith('PS')) return false;
        return crypto().verify(
          hashOf(alg, 'PS'),
          signed,
          {
            key,
            padding: crypto().constants.RSA_PKCS1_PSS_PADDING,
            saltLength: crypto().constants.RSA_PSS_SALTLEN_DIGEST,
          },
          signature,
        );
      case 'EC':
        return crypto().verify(hashOf(alg, 'ES'), signed, { key, dsaEncoding: 'ieee-p1363' }, halves(signature, half));
      case 'OKP':
        return crypto().verify(null, signed, key, signature);
    }
  } catch {
    return false;
  }
}

/** The two numbers of a signature, each half of its bytes, in the size that the curve has; a byte left over does not count. */
function halves(signature: Buffer, size: number): Buffer {
  const middle = Math.floor(signature.length / 2);
  return Buffer.concat([
    sized(signature.subarray(0, middle), size),
    sized(signature.subarray(middle, 2 * middle), size),
  ]);
}
