import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { TOKEN_AUDIENCE, TokenVerifier, readTokenKeys } from './tokens.ts';

const clock = new ManualClock();
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const seconds = Math.floor(clock.wall() / 1000);

function token(claims: object = {}, key = ec.privateKey, alg = 'ES256'): Promise<string> {
  const all = { sub: 'system:serviceaccount:shop:orders', aud: TOKEN_AUDIENCE, exp: seconds + 60, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg }).sign(key);
}
const pem = (key: typeof ec.publicKey): string => key.export({ type: 'spki', format: 'pem' }).toString();
const verifier = (text: string): TokenVerifier => new TokenVerifier(readTokenKeys(text), clock);
const orders = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'orders' };

test('keys come as PEM, several in one file, or as JSON', async () => {
  const several = pem(other.publicKey) + pem(ec.publicKey) + pem(rsa.publicKey);
  const jwk = ec.publicKey.export({ format: 'jwk' });
  for (const text of [
    several,
    JSON.stringify({ keys: [other.publicKey.export({ format: 'jwk' }), jwk] }),
    JSON.stringify(jwk),
  ]) {
    expect(await verifier(text).verify(await token(), 'cluster.local')).toEqual(orders);
  }
  const rs = await token({}, rsa.privateKey, 'RS256');
  expect(await verifier(several).verify(rs, 'cluster.local')).toEqual(orders);
});

test('a private key in a set is not kept, and one in PEM is refused', () => {
  const [key] = readTokenKeys(JSON.stringify(ec.privateKey.export({ format: 'jwk' })));
  expect(key).not.toHaveProperty('d');
  expect(() => readTokenKeys(ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).toThrow('private key');
});

test('what cannot check tokens is refused', () => {
  expect(() => readTokenKeys('{"keys":[]}')).toThrow('there is no key');
  expect(() => readTokenKeys('{"kty":"oct","k":"AAAA"}')).toThrow('symmetric');
  expect(() => readTokenKeys('[]')).toThrow('neither');
  expect(() => readTokenKeys('-----BEGIN X-----')).toThrow('there is no key');
});

test.each([
  ['for somebody else', { aud: 'kubernetes' }, /aud/],
  ['for nobody', { aud: undefined }, /aud/],
  ['over', { exp: seconds - 60 }, /exp/],
  ['without end', { exp: undefined }, /exp/],
  ['not yet valid', { nbf: seconds + 60 }, /nbf/],
  ['of a person', { sub: 'ann' }, /`ann` is not a service account/],
  ['of nobody', { sub: undefined }, /sub/],
  ['of a strange account', { sub: 'system:serviceaccount:a:b:c' }, /not a service account/],
])('a token that is %s is refused', async (_, claims, reason) => {
  await expect(verifier(pem(ec.publicKey)).verify(await token(claims), 'cluster.local')).rejects.toThrow(reason);
});

test('a token of another key, of none, or signed with the public key as a password is refused', async () => {
  const check = verifier(pem(ec.publicKey));
  await expect(check.verify(await token({}, other.privateKey), 'cluster.local')).rejects.toThrow(/signature/);
  const [, payload] = (await token()).split('.');
  const header = (alg: string): string => Buffer.from(JSON.stringify({ alg })).toString('base64url');
  await expect(check.verify(`${header('none')}.${payload}.`, 'cluster.local')).rejects.toThrow(/alg/);
  const password = new TextEncoder().encode(pem(ec.publicKey));
  const symmetric = await new SignJWT({ sub: 'system:serviceaccount:a:b', aud: TOKEN_AUDIENCE, exp: seconds + 60 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(password);
  await expect(check.verify(symmetric, 'cluster.local')).rejects.toThrow(/alg/);
});
