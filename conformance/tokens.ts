import { claims, good, jwks, now, token } from '../packages/proxy/src/filter/testing/tokens.ts';

const TOKENS: Readonly<Record<string, string>> = {
  good,
  none: token(claims, { alg: 'none' }, ''),
  'none-signed': token(claims, { alg: 'none' }),
  hs256: token(claims, { alg: 'HS256', kid: 'rsa' }),
  expired: token({ ...claims, exp: now - 3600 }),
  early: token({ ...claims, nbf: now + 3600 }),
  stranger: token({ ...claims, iss: 'stranger' }),
  second: token({ ...claims, iss: 'second' }),
  'other-audience': token({ ...claims, aud: 'other' }),
  audiences: token({ ...claims, aud: ['other', 'shop'] }),
  'unknown-kid': token(claims, { alg: 'RS256', kid: 'unknown' }),
  'no-kid': token(claims, { alg: 'RS256' }),
  'kid-path': token(claims, { alg: 'RS256', kid: '../../etc/passwd' }),
  'kid-number': token(claims, { alg: 'RS256', kid: 1 }),
  crit: token(claims, { alg: 'RS256', kid: 'rsa', crit: ['exp'] }),
  'bad-signature': `${good.slice(0, -8)}AAAAAAAA`,
  'no-signature': token(claims, { alg: 'RS256', kid: 'rsa' }, ''),
  huge: token({ ...claims, pad: 'x'.repeat(20_000) }),
  'last-comma': token(`${JSON.stringify(claims).slice(0, -1)},}`),
  'single-quotes': token(JSON.stringify(claims).replaceAll('"', "'")),
  numbers: token({ ...claims, n: 100000, half: 0.0001, nested: { list: [1e15, 100000, 0.00001], deep: 2 ** 63 } }),
  'far-future': token({ ...claims, exp: 1e19 }),
  endless: token({ ...claims, exp: undefined }),
  'endless-elsewhere': token({ ...claims, exp: undefined, aud: 'other' }),
  'not-sub-elsewhere': token({ ...claims, sub: 'other', aud: 'other' }),
  'not-sub-expired': token({ ...claims, sub: 'other', exp: now - 3600 }),
  'lately-expired': token({ ...claims, exp: now - 600 }),
  soon: token({ ...claims, nbf: now + 600 }),
  blank: token({ ...claims, role: '', scope: ' ', sub: ' a  b' }),
  'not-sub': token({ ...claims, sub: 'other' }),
  'deep-list': token(`${JSON.stringify(claims).slice(0, -1)},"x":${'['.repeat(99)}${']'.repeat(99)}}`),
  'deeper-list': token(`${JSON.stringify(claims).slice(0, -1)},"x":${'['.repeat(100)}${']'.repeat(100)}}`),
  'deeper-objects': token(`${JSON.stringify(claims).slice(0, -1)},"x":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`),
  'half-character': token(`${JSON.stringify(claims).slice(0, -1)},"x":"\\ud800"}`),
  'large-number': token(`${JSON.stringify(claims).slice(0, -1)},"x":1e400}`),
  'large-number-head': token(claims, '{"alg":"RS256","kid":"rsa","x":1e400}'),
  guest: token({ ...claims, role: 'guest' }),
  es256: token(claims, { alg: 'ES256', kid: 'ec' }),
  ps256: token(claims, { alg: 'PS256', kid: 'any-rsa' }),
  eddsa: token(claims, { alg: 'EdDSA', kid: 'ed' }),
};

export function isTokenName(placeholder: string): boolean {
  return placeholder === 'jwks' || (placeholder.startsWith('token:') && placeholder.slice('token:'.length) in TOKENS);
}

/** The text behind `jwks` or `token:NAME`. */
export function tokenOf(placeholder: string): string {
  if (placeholder === 'jwks') return jwks.inlineString;
  const found = TOKENS[placeholder.slice('token:'.length)];
  if (found === undefined) throw new Error(`there is no token \`${placeholder}\``);
  return found;
}
