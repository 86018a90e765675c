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

/** A token of raw JSON, for what no object can say, signed with the right key. */
const raw = (payload: string, head = '{"alg":"RS256","kid":"rsa"}'): string => {
  const signed = `${encode(head)}.${encode(payload)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
};
/** Signed as with a shared secret, which is something that everybody knows. */
const confused = (known: string | Buffer, kid: string): string => {
  const signed = `${encode({ alg: 'HS256', kid })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', known).update(signed).digest('base64url')}`;
};
const withHead = (more: object): string => token(claims, { alg: 'RS256', kid: 'rsa', ...more });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** Signed with a key that the token itself brings. */
const brought = (head: object): string => {
  const signed = `${encode({ alg: 'RS256', kid: 'rsa', ...head })}.${encode(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), stranger.privateKey).toString('base64url')}`;
};
const zeros = Buffer.alloc(64).toString('base64url');
const ecHead = { alg: 'ES256', kid: 'ec' };
const body = JSON.stringify(claims).slice(1, -1);
const [goodHead = '', goodPayload = '', goodSignature = ''] = good.split('.');

/** What attackers try. */
export const ATTACKS = [
  // no signature
  ...['none', 'None', 'NONE', 'nOnE', '', ' RS256', 'rs256', 'RS256 ', null].map((alg) =>
    token(claims, { alg, kid: 'rsa' }, ''),
  ),
  `${encode({ alg: 'none' })}.${encode(claims)}`,
  `${goodHead}.${goodPayload}.`,
  `${goodHead}..${goodSignature}`,
  `.${goodPayload}.${goodSignature}`,
  '..',
  '.',
  // one kind of key taken for another
  confused(publicKey.export({ format: 'pem', type: 'spki' }), 'rsa'),
  confused(publicKey.export({ format: 'pem', type: 'spki' }), 'any-rsa'),
  confused(publicKey.export({ format: 'der', type: 'spki' }), 'rsa'),
  confused(JSON.stringify(publicKey.export({ format: 'jwk' })), 'rsa'),
  confused('', 'oct'),
  token(claims, { alg: 'ES256', kid: 'rsa' }),
  token(claims, { alg: 'RS256', kid: 'ec' }),
  token(claims, { alg: 'ES256', kid: 'ed' }),
  token(claims, { alg: 'EdDSA', kid: 'ec' }),
  token(claims, { alg: 'HS384', kid: 'oct' }),
  token(claims, { alg: 'HS512', kid: 'oct' }),
  // signatures that are none
  token(claims, ecHead, zeros),
  token(claims, ecHead, zeros.slice(0, -2)),
  token(claims, ecHead, Buffer.alloc(0).toString('base64url')),
  token(claims, ecHead, Buffer.alloc(64, 0xff).toString('base64url')),
  token(claims, { alg: 'EdDSA', kid: 'ed' }, zeros),
  token(claims, { alg: 'RS256', kid: 'rsa' }, Buffer.alloc(256).toString('base64url')),
  token(claims, { alg: 'RS256', kid: 'rsa' }, Buffer.alloc(256, 0xff).toString('base64url')),
  // keys by name
  ...['', '../rsa', 'rsa/../rsa', '/dev/null', "' OR '1'='1", 'RSA', ' rsa', 'rsa\u0000', '*', 'x'.repeat(3000)].map(
    (kid) => token(claims, { alg: 'RS256', kid }),
  ),
  token(claims, { alg: 'RS256', kid: ['rsa'] }),
  token(claims, { alg: 'RS256', kid: { rsa: 1 } }),
  token(claims, { alg: 'RS256', kid: null }),
  // keys that come along
  brought({}),
  brought({ jwk: stranger.publicKey.export({ format: 'jwk' }) }),
  brought({ jku: 'https://evil.example/keys' }),
  brought({ x5u: 'https://evil.example/cert' }),
  brought({ x5c: ['MII='] }),
  // what a header may say
  withHead({ crit: ['b64'], b64: false }),
  withHead({ crit: [] }),
  withHead({ crit: 'exp' }),
  withHead({ b64: false }),
  withHead({ typ: 'JOSE' }),
  withHead({ typ: 1 }),
  withHead({ cty: 'JWT' }),
  withHead({ zip: 'DEF' }),
  withHead({ enc: 'A128GCM' }),
  token(claims, {}),
  token(claims, '[]'),
  token(claims, 'null'),
  token(claims, '"RS256"'),
  // names that are there twice
  raw(`{"iss":"stranger",${body}}`),
  raw(`{${body},"iss":"stranger"}`),
  raw(`{"exp":1,${body}}`),
  raw(`{${body},"exp":1}`),
  raw(`{"aud":"other",${body}}`),
  raw(`{${body},"aud":"other"}`),
  raw(`{${body}}`, '{"alg":"none","alg":"RS256","kid":"rsa"}'),
  raw(`{${body}}`, '{"alg":"RS256","alg":"none","kid":"rsa"}'),
  raw(`{${body}}`, '{"alg":"RS256","kid":"ec","kid":"rsa"}'),
  // JSON that is odd; Envoy's parser also takes commas at the end, single quotes and bare control characters
  raw(`{${body}} `),
  raw(` {${body}}`),
  raw(`{${body}}x`),
  raw(`\ufeff{${body}}`),
  raw(`{${body}}\u0000`),
  raw(`{${body},"a":NaN}`),
  raw(`{${body},"a":01}`),
  raw(`{${body}/* x */}`),
  raw(`{${body.replace('"issuer"', '"\\u0069ssuer"')}}`),
  raw(`{${body.replace('"iss"', '"\\u0069ss"')}}`),
  raw(`{${body.replace('"issuer"', '"issuer\\u0000"')}}`),
  raw(`{${body.replace('"issuer"', '"ISSUER"')}}`),
  raw(`{${body.replace('"issuer"', '["issuer"]')}}`),
  raw(`{${body},"deep":${'['.repeat(90)}${']'.repeat(90)}}`),
  raw(`{${body},"deep":${'{"a":'.repeat(90)}1${'}'.repeat(90)}}`),
  raw('{}'),
  raw('[]'),
  raw('null'),
  raw('"issuer"'),
  raw(''),
  // times at their ends
  ...[
    '1e300',
    '-1e300',
    '9223372036854775807',
    '9223372036854775808',
    '18446744073709551616',
    '1e10',
    '0.5',
    '-0',
    'null',
    '[]',
    'true',
  ].flatMap((time) => [
    raw(`{${body.replace(/"exp":\d+/, `"exp":${time}`)}}`),
    raw(`{${body},"nbf":${time}}`),
    raw(`{${body},"iat":${time}}`),
  ]),
  token({ ...claims, iat: now + 36_000 }),
  token({ ...claims, exp: now - 61 }),
  token({ ...claims, nbf: now + 61 }),
  // audiences
  token({ ...claims, aud: undefined }),
  token({ ...claims, aud: '' }),
  token({ ...claims, aud: 'Shop' }),
  token({ ...claims, aud: 'shop/' }),
  token({ ...claims, aud: 'https://shop' }),
  token({ ...claims, aud: 'http://shop/' }),
  token({ ...claims, aud: 'shop ' }),
  token({ ...claims, aud: ['other', ''] }),
  token({ ...claims, aud: ['other', null] }),
  token({ ...claims, aud: [['shop']] }),
  token({ ...claims, aud: { shop: 1 } }),
  token({ ...claims, aud: null }),
  // base64 that is odd
  `${goodHead}=.${goodPayload}.${goodSignature}`,
  `${goodHead}.${goodPayload}=.${goodSignature}`,
  `${goodHead}.${goodPayload}.${goodSignature}==`,
  `${goodHead}.${goodPayload}.${goodSignature.slice(0, 10)}+${goodSignature.slice(11)}`,
  `${goodHead}.${goodPayload}.${goodSignature.slice(0, 10)}/${goodSignature.slice(11)}`,
  `${goodHead}.${goodPayload}.${goodSignature}A`,
  `${goodHead}.${goodPayload}.${goodSignature}.${goodSignature}`,
  `${goodHead}.${goodPayload}.${goodSignature}%2e`,
  `${goodHead}%2e${goodPayload}%2e${goodSignature}`,
  `${good},${good}`,
  `"${good}"`,
  good.toUpperCase(),
  // much
  token({ ...claims, much: 'x'.repeat(20_000) }),
  token({ ...claims, many: Array.from({ length: 3000 }, (_, i) => i) }),
  'x'.repeat(20_000),
  `${'.'.repeat(2000)}`,
];
