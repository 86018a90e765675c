import type { KeyObject } from 'node:crypto';
import type { JsonObject } from '@mizzen/xds';
import { crypto } from '../../node-tls.ts';
import { base64url } from './base64url.ts';
import { digits, sized } from './number-bytes.ts';

export interface Key {
  readonly kid: string;
  /** Empty: any that the kind of key can do. */
  readonly alg: string;
  readonly kind: 'RSA' | 'EC' | 'oct' | 'OKP';
  readonly secret: Buffer | undefined;
  readonly key: KeyObject | undefined;
  /** Bytes of each half of a signature of an EC key. */
  readonly half: number;
}

/** A key of a set, or what is wrong with it. Only its public half is read: a set that holds private keys works as well. */
export function readKey(jwk: JsonObject): Key | string {
  const kind = jwk['kty'];
  const { kid, alg } = { kid: text(jwk, 'kid') ?? '', alg: text(jwk, 'alg') ?? '' };
  const readers = { RSA: readRsa, EC: readEc, oct: readSecret, OKP: readEdwards };
  if (typeof kind !== 'string' || !Object.hasOwn(readers, kind)) return '`kty` is to be RSA, EC, oct or OKP';
  const read = readers[kind as Key['kind']](jwk, alg);
  if (typeof read === 'string') return read;
  return { kid, alg, kind: kind as Key['kind'], secret: undefined, key: undefined, half: 0, ...read };
}

type Material = Partial<Pick<Key, 'secret' | 'key' | 'half'>>;

function text(jwk: JsonObject, name: string): string | undefined {
  const value = jwk[name];
  return typeof value === 'string' ? value : undefined;
}

function bytes(jwk: JsonObject, name: string): Buffer | undefined {
  const value = text(jwk, name);
  return value === undefined ? undefined : base64url(value);
}

const EXPONENTS = new Set(['03', '010001']);
const RSA_BITS = { least: 512, most: 16_384 };

function readRsa(jwk: JsonObject, alg: string): Material | string {
  if (alg !== '' && !alg.startsWith('RS') && !alg.startsWith('PS')) return '`alg` is not one for an RSA key';
  const [n, e] = [bytes(jwk, 'n'), bytes(jwk, 'e')];
  if (n === undefined || e === undefined) return 'an RSA key needs `n` and `e` in base64url';
  if (!EXPONENTS.has(digits(e).toString('hex'))) return '`e` of an RSA key is to be 3 or 65537';
  const modulus = digits(n);
  const bits = modulus.length === 0 ? 0 : modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
  if (bits < RSA_BITS.least || bits > RSA_BITS.most || modulus.at(-1)! % 2 === 0)
    return `\`n\` of an RSA key is to be an odd number of ${RSA_BITS.least} to ${RSA_BITS.most} bits`;
  const key = publicKey({ kty: 'RSA', n: modulus.toString('base64url'), e: digits(e).toString('base64url') });
  return key === undefined ? 'the RSA key cannot be read' : { key };
}

/** Curves by name: their algorithm, and the bytes of a coordinate. */
const CURVES: Readonly<Record<string, { readonly alg: string; readonly size: number }>> = {
  'P-256': { alg: 'ES256', size: 32 },
  'P-384': { alg: 'ES384', size: 48 },
  'P-521': { alg: 'ES512', size: 66 },
};

function readEc(jwk: JsonObject, alg: string): Material | string {
  if (alg !== '' && !alg.startsWith('ES')) return '`alg` is not one for an EC key';
  if (jwk['crv'] !== undefined && typeof jwk['crv'] !== 'string') return '`crv` is to be a string';
  // The algorithm says which curve it is when the key does not; with neither it is P-256.
  const implied = alg === '' ? 'P-256' : (Object.keys(CURVES).find((name) => CURVES[name]!.alg === alg) ?? '');
  const crv = text(jwk, 'crv') || implied;
  const curve = Object.hasOwn(CURVES, crv) ? CURVES[crv] : undefined;
  if (curve === undefined) return '`crv` is to be P-256, P-384 or P-521';
  if (alg !== '' && alg !== curve.alg) return `\`alg\` of a key on ${crv} is to be ${curve.alg}`;
  const [x, y] = [bytes(jwk, 'x'), bytes(jwk, 'y')];
  if (x === undefined || y === undefined) return 'an EC key needs `x` and `y` in base64url';
  const coordinate = (number: Buffer): string => sized(number, curve.size).toString('base64url');
  const key = publicKey({ kty: 'EC', crv, x: coordinate(x), y: coordinate(y) });
  return key === undefined ? '`x` and `y` are no point of the curve' : { key, half: curve.size };
}

const HMACS = new Set(['', 'HS256', 'HS384', 'HS512']);

function readSecret(jwk: JsonObject, alg: string): Material | string {
  if (!HMACS.has(alg)) return '`alg` is not one for a secret';
  const secret = bytes(jwk, 'k');
  return secret === undefined || secret.length === 0 ? 'a secret needs `k` in base64url' : { secret };
}

const ED25519_BYTES = 32;

function readEdwards(jwk: JsonObject, alg: string): Material | string {
  if (alg !== '' && alg !== 'EdDSA') return '`alg` of an OKP key is to be EdDSA';
  if (jwk['crv'] !== 'Ed25519') return '`crv` of an OKP key is to be Ed25519';
  const x = bytes(jwk, 'x');
  if (x === undefined || x.length !== ED25519_BYTES)
    return `an OKP key needs \`x\` of ${ED25519_BYTES} bytes in base64url`;
  const key = publicKey({ kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') });
  return key === undefined ? 'the OKP key cannot be read' : { key };
}

function publicKey(jwk: Record<string, string>): KeyObject | undefined {
  try {
    return crypto().createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}
