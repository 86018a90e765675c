import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveCredential } from './credentials.ts';
import type { Credential } from './credentials.ts';

let directory: string;
let pairs: { readonly cert: string; readonly key: string }[];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-credentials-'));
  pairs = ['a', 'b'].map((name) => {
    const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
    const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}.example`];
    execFileSync('openssl', [...args, ...files], { cwd: directory, stdio: 'ignore' });
    const read = (file: string): string => readFileSync(join(directory, file), 'utf8');
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) };
  });
});
afterAll(() => rmSync(directory, { recursive: true }));

type Data = Readonly<Record<string, string>>;
/** `Secret ns/name` or `ConfigMap ns/name` → keys. */
function resolve(name: string, resources: Readonly<Record<string, Data>>): Credential | undefined {
  return resolveCredential(name, 'gateways', (kind, namespace, each) => {
    const data = resources[`${kind} ${namespace}/${each}`];
    return data && new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)]));
  });
}
const problemOf = (credential: Credential | undefined): string =>
  credential !== undefined && 'problem' in credential ? credential.problem : 'none';
const base64 = (text: string | undefined): string => Buffer.from(text ?? '').toString('base64');

test('a TLS secret and a generic one give the same certificate', () => {
  const { cert, key } = pairs[0]!;
  const expected = {
    secret: {
      name: 'kubernetes://shop',
      tlsCertificate: { certificateChain: { inlineBytes: base64(cert) }, privateKey: { inlineBytes: base64(key) } },
    },
  };
  expect(resolve('kubernetes://shop', { 'Secret gateways/shop': { 'tls.crt': cert, 'tls.key': key } })).toEqual(
    expected,
  );
  expect(resolve('kubernetes://shop', { 'Secret gateways/shop': { cert, key, cacert: cert } })).toEqual(expected);
});

test('roots come from a secret of their own, or else from the certificate’s', () => {
  const [a, b] = pairs as [{ cert: string; key: string }, { cert: string; key: string }];
  const roots = (resources: Record<string, Data>): unknown => {
    const credential = resolve('kubernetes://shop-cacert', resources);
    return credential !== undefined && 'secret' in credential
      ? credential.secret.validationContext?.trustedCa?.inlineBytes
      : credential;
  };
  const shared = { 'tls.crt': a.cert, 'tls.key': a.key, 'ca.crt': a.cert };
  expect(roots({ 'Secret gateways/shop': shared })).toBe(base64(a.cert));
  expect(roots({ 'Secret gateways/shop': shared, 'Secret gateways/shop-cacert': { cacert: b.cert } })).toBe(
    base64(b.cert),
  );
  expect(
    problemOf(resolve('kubernetes://shop-cacert', { 'Secret gateways/shop': { 'tls.crt': a.cert, 'tls.key': a.key } })),
  ).toBe('Secret `shop` has neither `ca.crt` nor `cacert`');
});

test('a gateway reads the secrets of its own namespace alone', () => {
  const { cert, key } = pairs[0]!;
  const elsewhere = { 'Secret other/shop': { 'tls.crt': cert, 'tls.key': key } };
  expect(problemOf(resolve('kubernetes://shop', elsewhere))).toBe('there is no Secret `gateways/shop`');
  expect(problemOf(resolve('kubernetes-gateway://other/shop', elsewhere))).toBe(
    'a gateway in `gateways` may not read secrets of `other`',
  );
  expect(problemOf(resolve('kubernetes://other/shop', elsewhere))).toBe(
    'a gateway in `gateways` may not read secrets of `other`',
  );
});

test('what cannot be used is said', () => {
  const [a, b] = pairs as [{ cert: string; key: string }, { cert: string; key: string }];
  const pair = (data: Data): string => problemOf(resolve('kubernetes://shop', { 'Secret gateways/shop': data }));
  expect(pair({ 'tls.crt': a.cert, 'tls.key': b.key })).toBe('Secret `shop`: its key is not that of its certificate');
  expect(pair({ 'tls.crt': 'nonsense', 'tls.key': a.key })).toBe('Secret `shop`: its certificate cannot be read');
  expect(pair({ 'tls.crt': a.cert, 'tls.key': 'nonsense' })).toBe('Secret `shop`: its key cannot be read');
  expect(pair({ 'tls.crt': a.cert })).toBe(
    'Secret `shop` has neither `tls.crt` and `tls.key` nor `cert` and `key`, but `tls.crt`',
  );
  expect(pair({ 'tls.crt': a.cert, 'tls.key': '' })).toContain('has neither');
});

test('roots may be in a ConfigMap', () => {
  const { cert } = pairs[0]!;
  const credential = resolve('configmap://gateways/roots', { 'ConfigMap gateways/roots': { 'ca.crt': cert } });
  expect(credential).toMatchObject({ secret: { validationContext: { trustedCa: { inlineBytes: base64(cert) } } } });
});

test('other names are somebody else’s', () => {
  for (const name of ['default', 'ROOTCA', 'file-cert:a~b', 'kubernetes://', 'kubernetes://a/b/c']) {
    expect(resolve(name, {})).toBeUndefined();
  }
});
