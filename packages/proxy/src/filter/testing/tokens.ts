/** Keys, and tokens good and bad. */
import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const secret = Buffer.from('a secret that is long enough for HS256');
const keys = [
  { ...publicKey.export({ format: 'jwk' }), kid: 'rsa', alg: 'RS256' },
  { ...publicKey.export({ format: 'jwk' }), kid: 'any-rsa' },
  { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec' },
  { ...ed.publicKey.export({ format: 'jwk' }), kid: 'ed' },
  { kty: 'oct', k: secret.toString('base64url'), kid: 'oct' },
];
export const jwks = { inlineString: JSON.stringify({ keys }) };

const encode = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
export function token(
  payload: object | string,
  head: object | string = { alg: 'RS256', kid: 'rsa' },
  signature?: string,
): string {
  const signed = `${encode(head)}.${encode(payload)}`;
  const alg = typeof head === 'object' && 'alg' in head ? String(head.alg) : 'RS256';
  return `${signed}.${signature ?? make(alg, Buffer.from(signed))}`;
}
function make(alg: string, signed: Buffer): string {
  if (alg.startsWith('HS'))
    return createHmac(`sha${alg.slice(2)}`, secret)
      .update(signed)
      .digest('base64url');
  if (alg.startsWith('ES'))
    return sign(`sha${alg.slice(2)}`, signed, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  if (alg === 'EdDSA') return sign(null, signed, ed.privateKey).toString('base64url');
  if (alg.startsWith('PS'))
    return sign(`sha${alg.slice(2)}`, signed, { key: privateKey, padding: 6, saltLength: -1 }).toString('base64url');
  return sign(
    alg.startsWith('RS') ? `sha${alg.slice(2)}` : 'sha256',
    signed,
    createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })),
  ).toString('base64url');
}
/** When the tests started, in seconds since the epoch. */
export const now = Math.floor(performance.timeOrigin / 1000);
export const claims = {
  iss: 'issuer',
  sub: 'somebody',
  aud: 'shop',
  exp: now + 3600,
  role: 'staff',
  nested: { list: ['x', 'y'], deep: { key: 'v' } },
  n: 7,
  half: 0.5,
  yes: true,
  scope: 'read write',
};
export const good = token(claims);
export const bearer = (text: string, more = ''): string => `GET /x h\nauthorization: Bearer ${text}${more}`;

export const BAD_TOKENS = [
  'nothing',
  'a.b',
  'a.b.c.d',
  '!!.b.c',
  `${encode('x')}.b.c`,
  token(claims, { kid: 'rsa' }),
  token(claims, { alg: 1 }),
  token(claims, { alg: 'none' }, ''),
  token(claims, { alg: 'none' }),
  token(claims, { alg: 'RS256', kid: 1 }),
  `${encode({ alg: 'RS256' })}.!!.c`,
  token('not json'),
  token('[1]'),
  token({ ...claims, iss: 1 }),
  token({ ...claims, sub: 1 }),
  token({ ...claims, iat: 'x' }),
  token({ ...claims, iat: -1 }),
  token({ ...claims, nbf: true }),
  token({ ...claims, exp: '1' }),
  token({ ...claims, exp: -1 }),
  token({ ...claims, jti: 1 }),
  token({ ...claims, aud: 1 }),
  token({ ...claims, aud: ['a', 1] }),
  token({ ...claims, aud: [] }),
  token({ ...claims, iss: 'stranger' }),
  token({ ...claims, iss: undefined }),
  token({ ...claims, exp: now - 30 }),
  token({ ...claims, exp: now - 3600 }),
  token({ ...claims, exp: undefined }),
  token({ ...claims, exp: 0 }),
  token({ ...claims, exp: now + 3600.5 }),
  token({ ...claims, nbf: now + 30 }),
  token({ ...claims, nbf: now + 3600 }),
  token({ ...claims, aud: 'other' }),
  token({ ...claims, aud: ['other', 'shop'] }),
  token(claims, { alg: 'RS256', kid: 'unknown' }),
  token(claims, { alg: 'RS256' }),
  token(claims, { alg: 'RS256', crit: ['exp'], exp: 1 }),
  token(claims, { alg: 'RS512', kid: 'rsa' }),
  token(claims, { alg: 'RS512', kid: 'any-rsa' }),
  token(claims, { alg: 'PS256', kid: 'any-rsa' }),
  token(claims, { alg: 'ES256', kid: 'ec' }),
  token(claims, { alg: 'ES384', kid: 'ec' }),
  token(claims, { alg: 'EdDSA', kid: 'ed' }),
  token(claims, { alg: 'HS256', kid: 'oct' }),
  token(claims, { alg: 'HS256', kid: 'rsa' }),
  token(claims, { alg: 'HS256' }),
  token(claims, { alg: 'RS256', kid: 'rsa' }, encode('bad signature')),
  token(claims, { alg: 'RS256', kid: 'rsa' }, '!!'),
  token(claims, { alg: 'RS256', kid: 'rsa' }, ''),
  `${good}=`,
  good.slice(0, -1),
];
