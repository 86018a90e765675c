import { createPublicKey } from 'node:crypto';
import { createLocalJWKSet, errors, jwtVerify } from 'jose';
import type { JSONWebKeySet, JWK } from 'jose';
import type { Identity } from '../ca/identity.ts';
import type { Clock } from '../clock.ts';

/** What a token must be for, as Istio's agent asks Kubernetes for it. */
export const TOKEN_AUDIENCE = 'istio-ca';

const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** A token that proves nothing: why. */
export class TokenError extends Error {}

/**
 * Public keys from a file: a JSON Web Key Set (RFC 7517), one key of it, or PEM with public keys or certificates.
 * @throws Error that says what is wrong with it.
 */
export function readTokenKeys(text: string): readonly JWK[] {
  const keys = text.includes('-----BEGIN ') ? pemKeys(text) : jsonKeys(JSON.parse(text) as unknown);
  if (keys.length === 0) throw new Error('there is no key in it');
  for (const key of keys) {
    if (key.kty === 'oct') throw new Error('a key is symmetric: whoever can check tokens with it can make them');
  }
  return keys.map(publicPart);
}

const PEM = /-----BEGIN (PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE)-----[\s\S]*?-----END \1-----/g;

function pemKeys(text: string): JWK[] {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw new Error('it holds a private key; give the public one');
  return [...text.matchAll(PEM)].map(([pem]) => createPublicKey(pem).export({ format: 'jwk' }) as JWK);
}

function jsonKeys(value: unknown): JWK[] {
  const set = value as Partial<JSONWebKeySet> & Partial<JWK>;
  if (Array.isArray(set.keys)) return set.keys;
  if (typeof set.kty === 'string') return [set as JWK];
  throw new Error('it is neither a JSON Web Key Set nor PEM');
}

/** Keys to check with must not be able to sign. */
function publicPart(key: JWK): JWK {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...rest } = key;
  return rest as JWK;
}

/** Checks tokens of Kubernetes service accounts. */
export class TokenVerifier {
  readonly #keys: ReturnType<typeof createLocalJWKSet>;
  readonly #clock: Clock;

  constructor(keys: readonly JWK[], clock: Clock) {
    this.#keys = createLocalJWKSet({ keys: [...keys] });
    this.#clock = clock;
  }

  /**
   * The service account that a token is of: `sub` is `system:serviceaccount:NAMESPACE:NAME`, `aud` has `istio-ca`, and it
   * has an end that has not come.
   * @throws TokenError
   */
  async verify(token: string, trustDomain: string): Promise<Identity> {
    const { sub } = await this.#payload(token);
    const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(sub ?? '');
    if (match === null) throw new TokenError(`its subject \`${sub ?? ''}\` is not a service account`);
    const [, namespace = '', serviceAccount = ''] = match;
    return { trustDomain, namespace, serviceAccount };
  }

  async #payload(token: string): Promise<{ readonly sub?: string }> {
    const options = {
      audience: TOKEN_AUDIENCE,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: 5,
      currentDate: new Date(this.#clock.wall()),
    };
    try {
      return (await jwtVerify(token, this.#keys, options)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return this.#anyOf(error, token, options);
      throw new TokenError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** Keys without an id: one of those that fit must have signed. */
  async #anyOf(
    fitting: errors.JWKSMultipleMatchingKeys,
    token: string,
    options: Parameters<typeof jwtVerify>[2],
  ): Promise<{ readonly sub?: string }> {
    let last: unknown = fitting;
    for await (const key of fitting) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (error) {
        last = error;
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw new TokenError(last instanceof Error ? last.message : String(last), { cause: last });
  }
}
