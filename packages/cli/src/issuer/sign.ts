import { sign } from 'node:crypto';
import type { SigningKey } from './find.ts';

/** A JWT in JWS compact form (RFC 7519, RFC 7515). */
export function signToken(payload: object, { privateKey, algorithm, id }: SigningKey): string {
  const header = { alg: algorithm, typ: 'JWT', ...(id === undefined ? {} : { kid: id }) };
  const text = `${encode(header)}.${encode(payload)}`;
  const digest = algorithm === 'EdDSA' ? null : 'sha256';
  const signature = sign(digest, Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
