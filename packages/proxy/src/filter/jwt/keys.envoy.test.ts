/** Which key sets can be read, and which keys verify which tokens, beside real Envoy. */
import { execFileSync } from 'node:child_process';
import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll } from 'vitest';
import { testAuthority } from '../../tls/testing/certificates.ts';
import { describeAlike, get } from '../testing/alike.ts';
import { observeBoth, startRaw, TYPE, type BesideCase, type Observed } from '../testing/beside.ts';

const { folder, rootPem: ofEc } = testAuthority();
const SELF_SIGNED = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'rsa.key', '-subj', '/CN=a'];
const certificate = execFileSync('openssl', SELF_SIGNED, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
const rsaPrivate = createPrivateKey(readFileSync(join(folder, 'rsa.key')));
const rsa = { privateKey: rsaPrivate, publicKey: createPublicKey(rsaPrivate) };
const [p256, p384, p521] = ['P-256', 'P-384', 'P-521'].map((namedCurve) => generateKeyPairSync('ec', { namedCurve }));
const ed = generateKeyPairSync('ed25519');
const SECRET = 'a secret that is long enough';
type Jwk = Readonly<Record<string, unknown>>;
const jwk = ({ publicKey }: { publicKey: KeyObject }): Jwk => publicKey.export({ format: 'jwk' }) as Jwk;
const [r, e, e3, d] = [jwk(rsa), jwk(p256!), jwk(p384!), jwk(ed)];
const oct = { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') };
const without = (key: Jwk, name: string): Jwk =>
  Object.fromEntries(Object.entries(key).filter(([each]) => each !== name));
const of = (...keys: unknown[]): string => JSON.stringify({ keys });
const number = (bytes: readonly number[]): string => Buffer.from(bytes).toString('base64url');
const ones = (bits: number): string => Buffer.alloc(bits / 8, 0xff).toString('base64url');

const SETS: readonly string[] = [
  '',
  'x',
  '{}',
  '[]',
  'null',
  '{"keys":null}',
  '{"keys":[],"keys":[{"kty":"oct","k":"AAAA"}]}',
  '{"keys":[{"kty":"oct","k":"AAAA","x":1e400}]}',
  of(),
  of('a', null, 1),
  of({}),
  of(1, oct),
  of(without(e, 'x'), oct),
  of({ kty: 'rsa' }),
  of({ kty: 1 }),
  ...['n', 'e'].flatMap((name) => [without(r, name), ...[1, '', '*', 'AA'].map((v) => ({ ...r, [name]: v }))]).map(of1),
  ...[`${String(r['n'])}=`, `${String(r['n'])}==`, ones(504), ones(512), ones(16_384), ones(16_392)]
    .map((n) => ({ ...r, n }))
    .map(of1),
  ...[[1], [3], [5], [17], [1, 0, 1], [0, 0, 1, 0, 1], [1, 0, 0, 0, 1]].map((v) => of({ ...r, e: number(v) })),
  ...['', 'RS256', 'PS384', 'RS', 'HS256', 'ES256', 'rs256', 1].map((alg) => of({ ...r, alg, kid: 1 })),
  ...['crv', 'x', 'y']
    .flatMap((name) => [without(e, name), ...[1, '', '*'].map((v) => ({ ...e, [name]: v }))])
    .map(of1),
  ...['', 'ES256', 'ES384', 'ESx', 'RS256'].flatMap((alg) => [of({ ...e, alg }), of({ ...e3, alg })]),
  of({ ...without(e3, 'crv'), alg: 'ES384' }),
  of({ ...without(e, 'crv'), alg: 'ESx' }),
  of({ ...e, y: e['x'] }),
  of(jwk(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))),
  ...[1, '', '*', 'A', 'AA', 'AA==', 'AA=', 'AA..', 'AAAA=', 'A A', '  '].map((k) => of({ kty: 'oct', k })),
  ...['HS256', 'HS384', 'HSx', 'RS256'].map((alg) => of({ ...oct, alg })),
  ...['crv', 'x']
    .flatMap((name) => [without(d, name), ...[1, '', '*', 'AAAA'].map((v) => ({ ...d, [name]: v }))])
    .map(of1),
  ...['EdDSA', 'ES256'].map((alg) => of({ ...d, alg })),
  of(jwk(generateKeyPairSync('ed448'))),
  ...[
    { a: certificate },
    { a: certificate, b: ofEc },
    { a: certificate.trim() },
    { a: `${certificate}\n` },
    { '': certificate },
    { a: certificate, b: 1 },
  ].map((set) => JSON.stringify(set)),
  JSON.stringify({ a: '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n' }),
];

function of1(key: Jwk): string {
  return of(key);
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
type Signer = (data: Buffer, hash: string) => Buffer;
const bySecret: Signer = (data, hash) => createHmac(hash, SECRET).update(data).digest();
const byRsa: Signer = (data, hash) => sign(hash, data, rsa.privateKey);
const byRsaPss: Signer = (data, hash) => sign(hash, data, { key: rsa.privateKey, padding: 6, saltLength: -1 });
const byEc: Signer = (data, hash) => sign(hash, data, { key: p256!.privateKey, dsaEncoding: 'ieee-p1363' });
const byEd: Signer = (data) => sign(null, data, ed.privateKey);
const padded: Signer = (data, hash) => {
  const zeros = Buffer.alloc(2);
  const signature = byEc(data, hash);
  return Buffer.concat([zeros, signature.subarray(0, 32), zeros, signature.subarray(32)]);
};
const odd: Signer = (data, hash) => Buffer.concat([byEc(data, hash), Buffer.alloc(1)]);
const short: Signer = (data) => byEd(data, '').subarray(1);

function token(alg: string, signer: Signer, kid?: string): string {
  const signed = `${encode({ alg, kid })}.${encode({ iss: 'issuer' })}`;
  const hash = alg.endsWith('384') ? 'sha384' : alg.endsWith('512') ? 'sha512' : 'sha256';
  return `${signed}.${signer(Buffer.from(signed), hash).toString('base64url')}`;
}

const bearer = (path: string, text: string): string => get(path, `authorization: Bearer ${text}`);
const ALGORITHMS = ['RS256', 'RS384', 'PS256', 'PS512', 'ES256', 'ES384', 'ES512', 'HS256', 'HS384', 'EdDSA', 'HS1'];
const VERIFIED: Readonly<Record<string, { readonly set: string; readonly signers: readonly Signer[] }>> = {
  rsa: { set: of(r), signers: [byRsa, byRsaPss, bySecret] },
  ec: { set: of(e), signers: [byEc, padded, odd, byRsa] },
  'other-curve': { set: of(e3, jwk(p521!)), signers: [byEc] },
  secret: { set: of(oct), signers: [bySecret] },
  ed: { set: of(d), signers: [byEd, short] },
  several: { set: of({ ...r, kid: 'a' }, { ...e, kid: 'a' }, { ...d, kid: 'b' }), signers: [byRsa, byEc, byEd] },
  certificates: { set: JSON.stringify({ a: certificate }), signers: [byRsa, byRsaPss] },
};

function filter(providers: Readonly<Record<string, object>>): object {
  return {
    name: 'envoy.filters.http.jwt_authn',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication`,
      providers,
      rules: Object.keys(providers).map((name) => ({
        match: { path: `/${name}` },
        requires: { providerName: name },
      })),
    },
  };
}

const fetched = (_: unknown, i: number): [string, object] => [
  `set${i}`,
  { issuer: 'issuer', remoteJwks: { httpUri: { uri: `http://keys/${i}`, cluster: 'keys', timeout: '3s' } } },
];
const CASES: readonly BesideCase[] = [
  {
    name: 'key sets that are fetched',
    filters: [filter(Object.fromEntries(SETS.map(fetched)))],
    ask: SETS.map((_, i) => bearer(`/set${i}`, token('HS256', bySecret))),
  },
  {
    name: 'signatures',
    filters: [
      filter({
        ...Object.fromEntries(
          Object.entries(VERIFIED).map(([name, { set }]) => [
            name,
            { issuer: 'issuer', localJwks: { inlineString: set } },
          ]),
        ),
        none: { issuer: 'issuer', localJwks: { inlineString: '' } },
      }),
    ],
    ask: [
      ...Object.entries(VERIFIED).flatMap(([name, { signers }]) =>
        ALGORITHMS.flatMap((alg) => signers.map((signer) => bearer(`/${name}`, token(alg, signer)))),
      ),
      ...['', 'a', 'b', 'c'].flatMap((kid) => [byEc, byEd].map((by) => bearer('/several', token('ES256', by, kid)))),
      bearer('/none', token('RS256', byRsa)),
    ],
  },
];

let observed: { readonly ours: Observed; readonly theirs: Observed };
beforeAll(async () => {
  const keys = await startRaw((request) => {
    const set = SETS[Number(/^GET \/(\d+) /.exec(request)![1])]!;
    return `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(set)}\r\n\r\n${set}`;
  });
  try {
    observed = await observeBoth(
      CASES.map((one) => ({ ...one, more: { delayedCloseTimeout: '0.05s' } })),
      {
        clusters: { keys: keys.port },
        logFormat: '%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS%',
        statsFilter: 'jwt_authn',
      },
    );
  } finally {
    await keys.stop();
  }
}, 120_000);

describeAlike('keys', CASES, () => observed, 200);
